"""What an explanation is, whatever the method."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..results import ScoredRadiograph


@dataclass(frozen=True)
class Explanation:
    """One scored radiograph and a map for each zone.

    Attributes
    ----------
    result
        The radiograph and its score.
    method
        ``evidence`` or ``occlusion``.
    unit
        What the maps' values are, in words.
    zone_maps
        float32 ``[6, 512, 512]``, zones A to F, in the frame of the network's input. Above 0
        speaks for the score that the zone got, below 0 against it.
    """

    result: ScoredRadiograph
    method: str
    unit: str
    zone_maps: NDArray[np.float32]

    @property
    def scores(self) -> tuple[int, ...]:
        """The scores that are explained, zones A to F."""
        return tuple(item.score for item in self.result.score.zones)

    def combined(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Lay the six maps together.

        Zones overlap, and each map may speak for another score. So every pixel shows the zone
        that it speaks for most, as the paper takes the largest drop over zones; adding would let
        the overlaps stand out for no other reason than that they are counted twice.

        Returns
        -------
        strength
            float32 ``[512, 512]``, 0.0 and more: the largest value of the six maps.
        zones
            int64 ``[512, 512]``: whose map that is, 0 to 5 for A to F; where nothing speaks for
            any score, that is where the strength is 0, it means nothing.
        """
        strength = np.zeros(self.zone_maps.shape[1:], np.float32)
        zones = np.zeros(strength.shape, np.int64)
        for number, zone_map in enumerate(self.zone_maps):
            zones[zone_map > strength] = number
            np.maximum(strength, zone_map, out=strength)
        return strength, zones
