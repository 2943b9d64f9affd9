"""What was seen of the machine while it was measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Observation:
    """One source's word on the conditions.

    Attributes
    ----------
    figures
        Numbers and names, by what they are and their unit.
    warnings
        Why the times are not to be trusted, one sentence each.
    absent
        What could not be seen, one sentence each.
    """

    figures: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    warnings: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def read_text(path: Path) -> str | None:
    """The text of a file of ``/proc`` or ``/sys``; None where there is none to be had."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def read_number(path: Path) -> int | None:
    """The whole number in a file; None where there is none."""
    text = read_text(path)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
