"""Peak memory of the processes that a benchmark measures."""

import re
from pathlib import Path


def read_peak_memory(process: int) -> float:
    """Return the peak memory of a running process in MB.

    `ru_maxrss` is not usable, because it starts at the memory of the parent.

    Raises:
        ProcessLookupError: the process has ended.
    """
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    if not peak:
        raise ProcessLookupError(f"Process {process} has ended.")
    return int(peak[1]) / 1024
