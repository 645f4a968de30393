"""Times of frames as people write them."""


def format_timecode(seconds: float) -> str:
    """Return a time as hours, minutes, seconds and milliseconds, rounded down.

    The frame that is meant is the first one at or after this time: the one that `ffmpeg -ss` seeks to. (A time
    that is rounded to the nearest millisecond is in half of all frames too late, and gives the next frame.)

    Args:
        seconds: the time. Differences below a nanosecond are those of floating-point numbers, and ignored.

    >>> format_timecode(83.48)
    '0:01:23.480'
    >>> format_timecode(3 * 1001 / 24000)
    '0:00:00.125'
    """
    minutes, milliseconds = divmod(floor_milliseconds(seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def floor_milliseconds(seconds: float) -> int:
    """Return the whole milliseconds of a time.

    >>> floor_milliseconds(0.29), floor_milliseconds(1001 / 24000)
    (290, 41)
    """
    return round(seconds * 1e9) // 1_000_000
