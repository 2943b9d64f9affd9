"""What several files about one result are made of, each part made once."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..results import ScoredRadiograph
from .prior import PriorReport

Part = TypeVar("Part")


class Material:
    """A result, and the parts that its files have in common: its picture, its file's header.

    Parameters
    ----------
    result
        What the files are about.
    prior
        The patient's report before; None where none is known.
    """

    def __init__(self, result: ScoredRadiograph, prior: PriorReport | None = None) -> None:
        self.result, self.prior = result, prior
        self._parts: dict[Callable[[ScoredRadiograph], Any], Any] = {}

    def part(self, make: Callable[[ScoredRadiograph], Part]) -> Part:
        """Give what a function makes of the result, made when it is first asked for."""
        if make not in self._parts:
            self._parts[make] = make(self.result)
        return cast(Part, self._parts[make])
