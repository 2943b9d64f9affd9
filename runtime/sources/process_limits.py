"""Limits that a process sets for itself, where the system has them (POSIX setrlimit)."""

import math
import sys
from importlib.util import find_spec

_LONGEST_FILE = 2**20
"""Bytes; what decoders remark is caught in a file (see `decoder_remarks`)."""

_HAS_LIMITS = find_spec("resource") is not None  # not so on Windows


def limit_process(memory: int) -> bool:
    """Limit what this process may take; it leaves no core dump, which would hold patient data.

    Parameters
    ----------
    memory
        Bytes of address space.

    Returns
    -------
    bool
        Whether the memory is limited now.
    """
    if not _HAS_LIMITS:
        return False
    import resource

    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, _LONGEST_FILE)
    return _lower(resource.RLIMIT_AS, memory) and memory_can_be_limited()


def memory_can_be_limited() -> bool:
    """Whether this system keeps such a limit. Windows has none, and macOS does not keep it."""
    return _HAS_LIMITS and sys.platform != "darwin"


def limit_further_time(seconds: float) -> None:
    """Let the system end this process when it computes for so many seconds from now."""
    if not _HAS_LIMITS:
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds))


def _lower(kind: int, value: int) -> bool:
    """Set the soft limit, within the hard one; returns whether the system took it."""
    import resource

    _, hard = resource.getrlimit(kind)
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (soft, hard))
    except (OSError, ValueError):
        return False
    return True
