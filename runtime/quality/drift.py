"""Whether radiographs look like those a model knows: the population stability index.

The index of a quantity is ``sum((p - q) * ln(p / q))`` over its bins, with the shares p of the new
radiographs and q of the reference. Below 0.1 populations count as alike, to 0.25 as somewhat
different, above it as different (Siddiqi, Credit Risk Scorecards, Wiley 2006). Those bands are
for large samples: samples of n and m from one population give an index of about
``(1/n + 1/m) * chi-squared(bins - 1)`` (Yurdakul and Naranjo, Journal of Risk Model Validation 14
(2020) no. 4). So what chance adds on average is taken off before the bands are asked, and an
index that chance alone exceeds once in a hundred comparisons is not held against the images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import CalibrationError
from .reference_histograms import QuantityHistogram, ReferenceHistograms

FEWEST_IMAGES = 30
"""With fewer, chance alone gives an index that says nothing."""

ALIKE, SOMEWHAT, DIFFERENT = "alike", "somewhat different", "different"

_SOMEWHAT_FROM = 0.1
_DIFFERENT_FROM = 0.25
_UNSEEN = 0.5  # added to every count: an empty bin would make the index infinite
_NORMAL_99 = 2.3263  # 99th percentile of the standard normal distribution


@dataclass(frozen=True)
class QuantityDrift:
    """One quantity of new radiographs against the reference.

    Attributes
    ----------
    index
        The population stability index as it is commonly computed.
    by_chance
        What an index of so few images is on average where nothing has changed.
    chance_limit
        What chance exceeds once in a hundred comparisons.
    """

    index: float
    by_chance: float
    chance_limit: float

    @property
    def excess(self) -> float:
        """The index without what chance adds; never below 0."""
        return max(0.0, self.index - self.by_chance)

    @property
    def verdict(self) -> str:
        """``alike``, ``somewhat different`` or ``different``."""
        if self.index <= self.chance_limit or self.excess < _SOMEWHAT_FROM:
            return ALIKE
        return DIFFERENT if self.excess > _DIFFERENT_FROM else SOMEWHAT


@dataclass(frozen=True)
class DriftReport:
    """New radiographs against the reference.

    Attributes
    ----------
    images, reference_images
        How many there are of each.
    quantities
        By the names of `reference.QUANTITIES`.
    """

    images: int
    reference_images: int
    quantities: Mapping[str, QuantityDrift]

    @property
    def verdict(self) -> str:
        """The worst of the quantities' verdicts."""
        verdicts = {drift.verdict for drift in self.quantities.values()}
        return next(word for word in (DIFFERENT, SOMEWHAT, ALIKE) if word in verdicts)

    def sentence(self) -> str:
        """Say it in one line."""
        figures = ", ".join(
            f"{name.replace('_', ' ')} {drift.excess:.2f} {drift.verdict}"
            for name, drift in self.quantities.items()
        )
        return (
            f"Drift: these {self.images} radiographs look {_LOOK[self.verdict]} the "
            f"{self.reference_images} that the model was calibrated on (population stability "
            f"index less what chance adds: {figures})"
        )

    def to_dict(self) -> dict[str, object]:
        """Give the form for JSON."""
        return {
            "images": self.images,
            "reference_images": self.reference_images,
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "quantities": {
                name: asdict(drift) | {"excess": drift.excess, "verdict": drift.verdict}
                for name, drift in self.quantities.items()
            },
        }


_LOOK = {ALIKE: "like", SOMEWHAT: "somewhat different from", DIFFERENT: "different from"}


def compare_with_reference(
    reference: ReferenceHistograms, observations: Sequence[Mapping[str, float]]
) -> DriftReport:
    """Compare radiographs with those a model knows.

    Parameters
    ----------
    reference
        As `reference.read_reference` gives it.
    observations
        `reference.observe` of each scored radiograph, `FEWEST_IMAGES` at least.

    Raises
    ------
    CalibrationError
        There are too few.
    """
    if len(observations) < FEWEST_IMAGES:
        raise CalibrationError(
            f"{len(observations)} scored radiographs are too few to tell drift; "
            f"give {FEWEST_IMAGES} or more"
        )
    quantities = {
        name: quantity_drift(histogram, [observed[name] for observed in observations])
        for name, histogram in reference.quantities.items()
    }
    return DriftReport(len(observations), len(reference.images), quantities)


def quantity_drift(histogram: QuantityHistogram, values: Sequence[float]) -> QuantityDrift:
    """Compare the values of one quantity with its histogram."""
    counts, known = histogram.count(values), np.array(histogram.counts)
    noise = 1 / counts.sum() + 1 / known.sum()
    freedom = len(known) - 1
    return QuantityDrift(
        index=population_stability_index(counts, known),
        by_chance=float(freedom * noise),
        chance_limit=float(_chi_squared_99(freedom) * noise),
    )


def population_stability_index(
    counts: NDArray[np.integer], reference: NDArray[np.integer]
) -> float:
    """Compute the index of two histograms with the same bins.

    Half an image is added to every bin of both, so that an empty one leaves the index finite.

    Parameters
    ----------
    counts, reference
        int ``[bins]``.
    """
    new, known = ((c + _UNSEEN) / (c + _UNSEEN).sum() for c in (counts, reference))
    return float(np.sum((new - known) * np.log(new / known)))


def _chi_squared_99(freedom: int) -> float:
    """The 99th percentile of chi-squared, by Wilson and Hilferty (PNAS 17 (1931) 684).

    For two degrees of freedom and more it errs by less than 1 %.
    """
    if not freedom:
        return 0.0
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + _NORMAL_99 * spread**0.5) ** 3
