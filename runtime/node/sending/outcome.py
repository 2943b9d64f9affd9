"""What came of an attempt to deliver, and when to try again."""

import random
from dataclasses import dataclass
from enum import Enum

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 900.0
"""Seconds between two attempts: the first time, and at most."""
_DUPLICATE = 0x0111


class Verdict(Enum):
    """What to do next."""

    DELIVERED = "delivered"
    TRANSIENT = "transient"
    PERMANENT = "permanent"


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt; the reason names nobody."""

    verdict: Verdict
    reason: str = ""


DELIVERED = Outcome(Verdict.DELIVERED)


def transient(reason: str) -> Outcome:
    """It may arrive later."""
    return Outcome(Verdict.TRANSIENT, reason)


def permanent(reason: str) -> Outcome:
    """It will not arrive as it is; a person must look."""
    return Outcome(Verdict.PERMANENT, reason)


def pause(attempts: int) -> float:
    """Seconds to wait after so many failed attempts: doubled each time, and a little random.

    The random part keeps many answers, refused together, from coming back together.
    """
    longest: float = min(FIRST_PAUSE * 2.0 ** min(attempts, 20), LONGEST_PAUSE)
    return longest * (0.9 + 0.1 * random.random())  # noqa: S311 - no secret


def of_status(status: int) -> Outcome:
    """Judge the status of a C-STORE response (PS3.4 B.2.3, PS3.7 Annex C).

    Warnings (B000 to BFFF) mean stored, and so does a duplicate (0111): an answer's UID is derived
    from what it answers, so what the archive has under it is this answer. Out of resources (A7xx)
    and a processing failure (0110) pass; what does not match or cannot be understood will not be
    different next time.
    """
    if status in (0x0000, _DUPLICATE) or 0xB000 <= status <= 0xBFFF:
        return DELIVERED
    told = f"the archive answered {status:04X}"
    if 0xA700 <= status <= 0xA7FF or status in (0x0110, 0x0213):
        return transient(told)
    return permanent(told)
