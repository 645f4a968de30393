"""Videos and directories of images to frames, and frames of any size to one size inside the graph."""

from zoo.preprocessing.video.decoding import (
    IMAGE_FILE_PATTERN,
    VIDEO_FILE_PATTERN,
    Clip,
    FrameSize,
    TimedFrames,
    Video,
    batch_frames,
    list_images,
    open_video,
    read_clip,
)
from zoo.preprocessing.video.readers import (
    CLIP_FRAME_SIZE,
    ClipReader,
    FrameReader,
    SampledClips,
    check_lengths,
    sample_positions,
)
from zoo.preprocessing.video.timecodes import format_timecode

__all__ = [
    "CLIP_FRAME_SIZE",
    "IMAGE_FILE_PATTERN",
    "VIDEO_FILE_PATTERN",
    "Clip",
    "ClipReader",
    "FrameReader",
    "FrameSize",
    "SampledClips",
    "TimedFrames",
    "Video",
    "batch_frames",
    "check_lengths",
    "format_timecode",
    "list_images",
    "open_video",
    "read_clip",
    "sample_positions",
]
