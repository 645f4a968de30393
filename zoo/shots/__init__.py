"""Shots of a video: lists for editors and players, and one file for each shot."""

SHOT_LIST_SUFFIXES = (".csv", ".edl", ".ffmeta", ".otio")
"""Suffixes of the files that `zoo.shots.lists.write_shot_list` writes."""

EXPECTED_SHOT_LISTS = (
    "Expected .edl (CMX 3600), .otio (OpenTimelineIO), .ffmeta (chapters for FFmpeg) or .csv (as PySceneDetect "
    "writes it)"
)
