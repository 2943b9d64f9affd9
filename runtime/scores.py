"""What comes out: six zone scores and the global Brixia score.

The Brixia score (Borghesi and Maroldi, La radiologia medica 125 (2020) 509)
divides the lungs into six zones and grades each from 0 to 3.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

SCORES = (0, 1, 2, 3)
"""The grades a zone can have."""


class Zone(Enum):
    """A lung zone; the value is its letter, the order is that of every public array.

    A, B and C are the upper, middle and lower zone of the patient's right lung
    (the left side of the image), D, E and F those of the left lung.
    """

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"

    @property
    def lung(self) -> str:
        """The patient's lung the zone belongs to: ``right`` or ``left``."""
        return "right" if self.value in "ABC" else "left"

    @property
    def level(self) -> str:
        """The zone's height in the lung: ``upper``, ``middle`` or ``lower``."""
        return ("upper", "middle", "lower")["ABCDEF".index(self.value) % 3]


@dataclass(frozen=True)
class ZoneScore:
    """The score of one zone.

    Attributes
    ----------
    zone
        Which zone.
    probabilities
        Softmax over the scores 0, 1, 2 and 3.
    """

    zone: Zone
    probabilities: tuple[float, float, float, float]

    @property
    def score(self) -> int:
        """The most probable score, 0 to 3, as the paper's authors read it."""
        return max(SCORES, key=lambda score: self.probabilities[score])

    @property
    def expected(self) -> float:
        """The mean of the softmax, 0.0 to 3.0."""
        return float(sum(score * self.probabilities[score] for score in SCORES))


@dataclass(frozen=True)
class BrixiaScore:
    """The scores of all six zones, in the order A B C D E F."""

    zones: tuple[ZoneScore, ...]

    def __post_init__(self) -> None:
        order = tuple(zone_score.zone for zone_score in self.zones)
        if order != tuple(Zone):
            raise ValueError(f"zones are {order}; a Brixia score has {tuple(Zone)} in this order")

    @classmethod
    def from_probabilities(cls, probabilities: NDArray[np.float32]) -> "BrixiaScore":
        """Read the network's output.

        Parameters
        ----------
        probabilities
            float32 ``[6, 4]``, zones A to F by scores 0 to 3.
        """
        if probabilities.shape != (len(Zone), len(SCORES)):
            raise ValueError(f"probabilities have shape {probabilities.shape}; it must be (6, 4)")
        return cls(
            tuple(
                ZoneScore(zone, (float(row[0]), float(row[1]), float(row[2]), float(row[3])))
                for zone, row in zip(Zone, probabilities, strict=True)
            )
        )

    def __getitem__(self, zone: Zone) -> ZoneScore:
        return self.zones[tuple(Zone).index(zone)]

    @property
    def global_score(self) -> int:
        """The sum of the six zone scores, 0 to 18."""
        return sum(zone_score.score for zone_score in self.zones)

    @property
    def expected_global(self) -> float:
        """The sum of the six expected scores, 0.0 to 18.0."""
        return sum(zone_score.expected for zone_score in self.zones)
