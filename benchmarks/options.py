"""What the parts of `brixia-edge benchmark` and `evaluate` share."""

from collections.abc import Iterable
from pathlib import Path

from ..runtime.bundles.bundle import Bundle


def open_bundles(roots: Iterable[Path]) -> list[Bundle]:
    """The named bundles, or the shipped one where none is named."""
    return [Bundle.open(root) for root in roots] or [Bundle.open()]
