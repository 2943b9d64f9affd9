"""What the contestants' scores and times come to, each beside the reference."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ...runtime.results import RESEARCH_USE
from ...runtime.scores import Zone
from ..latency.bootstrap import RatioInterval, paired_ratio
from .measure import ScoreAgreement


@dataclass(frozen=True)
class ContestantSummary:
    """One contestant beside the reference.

    Attributes
    ----------
    name
        The contestant's.
    zones_equal
        Share of all zones with the reference's score.
    images_equal
        Share of images with all six.
    expected_zone_mean, expected_zone_largest
        Change of a zone's expected score, absolute.
    expected_global_mean, expected_global_largest
        The same of the global score.
    milliseconds
        Median time of one image in the network.
    speed
        How many times as fast as the reference: the median of the images' ratios.
    """

    name: str
    zones_equal: float
    images_equal: float
    expected_zone_mean: float
    expected_zone_largest: float
    expected_global_mean: float
    expected_global_largest: float
    milliseconds: float
    speed: RatioInterval


def summarise_agreement(agreement: ScoreAgreement) -> tuple[ContestantSummary, ...]:
    """One summary for each contestant, in their order."""
    return tuple(_summary(agreement, index) for index in range(len(agreement.contestants)))


def _summary(agreement: ScoreAgreement, index: int) -> ContestantSummary:
    equal = agreement.scores[index] == agreement.scores[0]
    change = agreement.expected[index] - agreement.expected[0]
    overall = np.abs(change.sum(axis=1))
    times = agreement.milliseconds
    return ContestantSummary(
        name=agreement.contestants[index].name,
        zones_equal=float(equal.mean()),
        images_equal=float(equal.all(axis=1).mean()),
        expected_zone_mean=float(np.abs(change).mean()),
        expected_zone_largest=float(np.abs(change).max()),
        expected_global_mean=float(overall.mean()),
        expected_global_largest=float(overall.max()),
        milliseconds=float(np.median(times[index])),
        speed=paired_ratio(times[0], times[index]),
    )


COLUMNS = (
    "file",
    "contestant",
    "precision",
    "variant",
    *(zone.value for zone in Zone),
    "global",
    *(f"expected_{zone.value}" for zone in Zone),
    "expected_global",
    "milliseconds",
    "notice",
)
"""The header of the table of all images."""


def image_rows(agreement: ScoreAgreement) -> list[list[str | int | float]]:
    """One row for each image and contestant, in the order of `COLUMNS`."""
    return [
        _row(agreement, contestant, image)
        for image in range(len(agreement.files))
        for contestant in range(len(agreement.contestants))
    ]


def to_dict(agreement: ScoreAgreement) -> Mapping[str, object]:
    """Summaries and all images, for JSON."""
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in image_rows(agreement)]
    return {
        "notice": RESEARCH_USE,
        "reference": agreement.contestants[0].name,
        "images": len(agreement.files),
        "summaries": [asdict(summary) for summary in summarise_agreement(agreement)],
        "scores": rows,
    }


def _row(agreement: ScoreAgreement, contestant: int, image: int) -> list[str | int | float]:
    model = agreement.contestants[contestant].bundle.identity
    scores = [int(score) for score in agreement.scores[contestant, image]]
    expected = [round(float(value), 6) for value in agreement.expected[contestant, image]]
    return [
        str(agreement.files[image]),
        agreement.contestants[contestant].name,
        model.precision,
        model.variant,
        *scores,
        sum(scores),
        *expected,
        round(sum(expected), 6),
        round(float(agreement.milliseconds[contestant, image]), 3),
        RESEARCH_USE,
    ]
