"""How far a score can be trusted: doubts in words, each with what was measured and what is due.

A doubtful score is given all the same, marked as unreliable. Each group of
measures has one function that turns them into sentences; a further group is a
further function in `_JUDGES`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..radiograph import Radiograph
from ..results import Prediction, Quality
from .chest_template import Placement, PlacementMeasures
from .measures import AlignmentMeasures, QualityMeasures, measure_quality


@dataclass(frozen=True)
class Range:
    """What is plausible; both ends belong to it, a value that is not a number does not."""

    lowest: float
    highest: float

    def __contains__(self, value: float) -> bool:
        return self.lowest <= value <= self.highest

    def scaled(self, factor: float) -> "Range":
        """Give the same range in another unit."""
        return Range(self.lowest * factor, self.highest * factor)

    def __str__(self) -> str:
        return f"{self.lowest:g} to {self.highest:g}"


@dataclass(frozen=True)
class QualityLimits:
    """What is plausible of a frontal chest radiograph.

    Set a little beyond what the 138 annotated radiographs of Cohen's collection gave with the
    research weights; lowest and highest of them stand with each limit. Three of
    the 138 are out of these limits: one through its rotation, two that look mirrored.

    Attributes
    ----------
    fewest_lungs
        Share of the image; less is no lung at all. Noise, blank images and drawn shapes: 0.000.
    lung_share
        Share of the image. Measured 0.181 to 0.556.
    rotation
        Degrees. Measured -3.9 to 4.5, and 7.2 once. The alignment makes up for part of a
        rotation: images turned by 30 degrees gave 6 to 15.
    shear
        Degrees. Measured -0.9 to 1.4; noise gave 5.0.
    scale
        Of width and height. Measured 0.554 to 1.125.
    shift
        Half widths or half heights of the image. Measured -0.201 to 0.183; images turned upside
        down gave up to 0.30.
    least_likeness
        Correlation. Measured 0.50 and more; pictures of other things gave -0.08 to 0.62.
    greatest_advantage
        Log odds by which another placement fits better; see `chest_template`. Measured up to
        0.1, and 0.6 and 2.1 where a dense right lung outweighs the heart; turned and inverted
        copies gave 2.6 and more, of mirrored ones 128 of 138 more than 0.5.
    fewest_grey_levels
        Of 256. Measured 30 (a published figure of few greys), else 147 and more.
    extreme_share
        Share of all but black or white pixels. Measured up to 0.395 (wide black borders).
    commonest_share
        Share of one value in the network's input. Measured up to 0.383.
    aspect_ratio
        Columns by rows. Measured 0.779 to 1.505.
    shortest_side
        Pixels. Measured 299 and more.
    """

    fewest_lungs: float = 0.02
    lung_share: Range = Range(0.15, 0.60)
    rotation: Range = Range(-6.0, 6.0)
    shear: Range = Range(-3.0, 3.0)
    scale: Range = Range(0.5, 1.25)
    shift: Range = Range(-0.25, 0.25)
    least_likeness: float = 0.45
    greatest_advantage: float = 0.5
    fewest_grey_levels: int = 24
    extreme_share: float = 0.60
    commonest_share: float = 0.60
    aspect_ratio: Range = Range(0.70, 1.60)
    shortest_side: int = 200


LIMITS = QualityLimits()
"""The limits in force."""


def assess_quality(
    radiograph: Radiograph, image: NDArray[np.float32], prediction: Prediction
) -> Quality:
    """Say what speaks against a score.

    Parameters
    ----------
    radiograph
        As read from the file; its own warnings come first.
    image
        float32 ``[1, 1, 512, 512]``, the network's input.
    prediction
        The network's outputs for it.
    """
    measures = measure_quality(radiograph, image, prediction)
    return Quality((*radiograph.warnings, *judge(measures)))


def judge(measures: QualityMeasures, limits: QualityLimits = LIMITS) -> tuple[str, ...]:
    """Compare measures with limits.

    Parameters
    ----------
    measures
        What was measured.
    limits
        What is plausible.

    Returns
    -------
    tuple[str, ...]
        One sentence for each measure out of its limits; none where all is plausible.
    """
    return tuple(sentence for ask in _JUDGES for sentence in ask(measures, limits))


def _judge_lungs(measures: QualityMeasures, limits: QualityLimits) -> list[str]:
    share = measures.lung_share
    if not share >= limits.fewest_lungs:
        return [
            f"No lungs were found: they cover {share:.1%} of the image; "
            f"at least {limits.lung_share.lowest:.0%} is plausible."
        ]
    if share not in limits.lung_share:
        return [
            f"The lungs found cover {share:.1%} of the image; "
            f"{limits.lung_share.scaled(100)}% is plausible.",
            *_judge_placement(measures.placement, limits),
        ]
    return [
        *_judge_placement(measures.placement, limits),
        *_judge_alignment(measures.alignment, limits),
    ]


def _judge_placement(placement: PlacementMeasures, limits: QualityLimits) -> list[str]:
    # The first reason only: what is no chest fits nothing well, and turned lungs are unlike a
    # chest's because they are turned.
    if not placement.advantage <= limits.greatest_advantage:
        return [
            f"{_how_it_lies(placement.best)}: {placement.best}, the image would fit a frontal "
            f"chest radiograph better by {placement.advantage:.1f} in log odds; "
            f"up to {limits.greatest_advantage:g} is plausible."
        ]
    if not placement.likeness >= limits.least_likeness:
        return [
            "The lungs found do not lie side by side as in a frontal chest radiograph: their "
            f"likeness to a chest's is {placement.likeness:.2f}; "
            f"at least {limits.least_likeness:g} is plausible."
        ]
    return []


def _how_it_lies(undone_by: Placement) -> str:
    if undone_by.negative:
        return "The image's polarity looks inverted, with air bright and bone dark"
    if undone_by.quarter_turns == 2:
        return "The image looks upside down, the lungs' narrow ends below"
    if undone_by.quarter_turns:
        return "The patient seems to lie on the side, one lung above the other"
    return "The image looks mirrored, the heart on its left, so left and right may be swapped"


def _judge_alignment(alignment: AlignmentMeasures, limits: QualityLimits) -> list[str]:
    if alignment.mirrored:
        return ["The network mirrored the image to bring it upright, so left and right may differ."]
    parts = (
        ("rotation", alignment.rotation, limits.rotation, " degrees"),
        ("shear", alignment.shear, limits.shear, " degrees"),
        ("horizontal scale", alignment.horizontal_scale, limits.scale, ""),
        ("vertical scale", alignment.vertical_scale, limits.scale, ""),
        ("horizontal shift", alignment.horizontal_shift, limits.shift, ""),
        ("vertical shift", alignment.vertical_shift, limits.shift, ""),
    )
    return [
        f"The alignment is far from upright: its {name} is {value:.2f}{unit}; "
        f"{plausible} is plausible, so zones may lie beside the lungs."
        for name, value, plausible, unit in parts
        if value not in plausible
    ]


def _judge_greys(measures: QualityMeasures, limits: QualityLimits) -> list[str]:
    sentences: list[str] = []
    if measures.grey_levels < limits.fewest_grey_levels:
        sentences.append(
            f"The image is nearly empty: {measures.grey_levels} of 256 grey levels occur; "
            f"at least {limits.fewest_grey_levels} are plausible."
        )
    if measures.extreme_share > limits.extreme_share:
        sentences.append(
            f"The image is nearly empty: {measures.extreme_share:.0%} of it is black or white; "
            f"up to {limits.extreme_share:.0%} is plausible."
        )
    if measures.commonest_share > limits.commonest_share:
        sentences.append(
            f"The prepared image is nearly empty: {measures.commonest_share:.0%} of it has one "
            f"grey level; up to {limits.commonest_share:.0%} is plausible."
        )
    return sentences


def _judge_shape(measures: QualityMeasures, limits: QualityLimits) -> list[str]:
    sentences: list[str] = []
    if measures.aspect_ratio not in limits.aspect_ratio:
        sentences.append(
            f"The image is {measures.aspect_ratio:.2f} times as wide as high; "
            f"{limits.aspect_ratio} is plausible for a frontal chest radiograph."
        )
    if measures.shorter_side < limits.shortest_side:
        sentences.append(
            f"The image's shorter side has {measures.shorter_side} pixels; "
            f"at least {limits.shortest_side} are plausible."
        )
    return sentences


_JUDGES: tuple[Callable[[QualityMeasures, QualityLimits], list[str]], ...] = (
    _judge_lungs,
    _judge_greys,
    _judge_shape,
)
