"""Unique identifiers (UIDs) that come from files, checked before anything is done with them."""

import re

_LIKE = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
_STRICT = re.compile(r"[012](\.(0|[1-9][0-9]*))+", re.ASCII)
_LONGEST = 64


def is_uid_like(value: str) -> bool:
    """Whether a text has the letters and the length of a UID, so that a report may hold it.

    Files from hospitals have components with leading zeros, by which their archive finds them.
    """
    return len(value) <= _LONGEST and _LIKE.fullmatch(value) is not None


def is_uid(value: str) -> bool:
    """Whether a text is a UID in the sense of PS3.5 9.1, which a DICOM object may hold.

    It has up to 64 characters, a root of 0, 1 or 2 (ISO/IEC 8824), at least one component below it,
    and components without leading zeros.
    """
    return len(value) <= _LONGEST and _STRICT.fullmatch(value) is not None
