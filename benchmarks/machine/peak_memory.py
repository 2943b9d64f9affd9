"""The most memory that this process has held."""

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_memory() -> int | None:
    """Bytes of resident memory at their highest; None where the system does not tell.

    Linux: VmHWM of ``/proc/self/status``. Not ``ru_maxrss``, which a process that was started
    from a large one inherits from it (getrusage(2), execve(2)).
    """
    try:
        text = _STATUS.read_text(encoding="ascii", errors="replace")
    except OSError:
        return _maximum_resident()
    return parse_peak(text)


def parse_peak(status: str) -> int | None:
    """Bytes of the VmHWM line of ``/proc/self/status`` (proc(5)), which is in kB of 1024."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _maximum_resident() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
