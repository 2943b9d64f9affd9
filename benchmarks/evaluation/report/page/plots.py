"""An evaluation in pictures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .....runtime.libraries import import_library
from .....runtime.scores import Zone
from ...results import (
    EXPECTED,
    POOLED,
    READER,
    SCORE,
    ConfusionMatrix,
    Evaluation,
    Figure,
    RaterComparison,
    Reliability,
)
from ..agreement_tables import GLOBAL_BINS, against, rater_name
from .drawing import (
    Axes,
    Drawing,
    diagonal,
    figure,
    finish,
    level,
    series_colour,
    series_marker,
)

Floats = NDArray[np.floating[Any]]

_patches = import_library("matplotlib.patches")

_STRONGEST = 0.6  # opacity of a cell that holds its whole row: the count on it stays legible
_FINE = "global"
"""The matrix of all 19 global scores; in bins it says the same at a glance."""

_MATRICES = {
    POOLED: "zone scores",
    GLOBAL_BINS: "global scores in bins",
    _FINE: "global scores",
}
_HIGHEST_GLOBAL = 18


def drawings(evaluation: Evaluation) -> Mapping[str, tuple[Drawing, ...]]:
    """Draw an evaluation, against its first reader; drawings by the key of their section."""
    reference = evaluation.readers[0]
    comparisons = tuple(against(evaluation.comparisons, reference))
    whole = tuple(item for item in comparisons if item.kind != EXPECTED)
    return {
        "zones": (zone_errors(comparisons, reference),),
        "confusion": tuple(_matrices(whole)),
        "global": tuple(_global_scores(evaluation, whole)),
        "triage": tuple(_curves(comparisons, reference)),
        "probabilities": tuple(_reliabilities(comparisons)),
    }


def zone_errors(comparisons: Sequence[RaterComparison], reference: str) -> Drawing:
    """Mean absolute error of each zone with its interval, the raters side by side."""
    with figure(170, 75) as drawn:
        axes = drawn.subplots()
        for number, item in enumerate(comparisons):
            offset = (number - (len(comparisons) - 1) / 2) * 0.7 / len(comparisons)
            errors = [item.agreement.zones[zone.value]["mae"] for zone in Zone]
            _points(axes, np.arange(6) + offset, errors, rater_name(item), number)
        axes.set_xticks(range(6), [zone.value for zone in Zone])
        axes.set(ylabel="mean absolute error", xlabel="zone", ylim=(0, None))
        _legend(axes)
        return finish(drawn, f"Mean absolute error of each zone against radiologist {reference}")


def _points(axes: Axes, places: Floats, values: Sequence[Figure], label: str, number: int) -> None:
    centres = [_number(value.value) for value in values]
    ends = [
        [centre - _number(value.low) for centre, value in zip(centres, values, strict=True)],
        [_number(value.high) - centre for centre, value in zip(centres, values, strict=True)],
    ]
    axes.errorbar(
        places,
        centres,
        yerr=np.nan_to_num(np.maximum(ends, 0)),
        fmt=series_marker(number),
        color=series_colour(number),
        markersize=4,
        label=label,
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _matrices(comparisons: Sequence[RaterComparison]) -> Iterator[Drawing]:
    """The small ones first, so that they stand side by side."""
    for key, what in _MATRICES.items():
        for item in comparisons:
            if key in item.confusion:
                title = f"{what}, {rater_name(item)} against radiologist {item.reference}"
                drawn = confusion(item.confusion[key], title, rater_name(item), item.reference)
                yield replace(drawn, folded=key == _FINE and GLOBAL_BINS in item.confusion)


def confusion(matrix: ConfusionMatrix, title: str, rater: str, reference: str) -> Drawing:
    """A confusion matrix; the deeper a cell, the larger its share of its row."""
    size = len(matrix.labels)
    side = 75 if size <= 6 else 150
    with figure(side, side) as drawn:
        axes = drawn.subplots()
        for row, counts in enumerate(matrix.counts):
            for column, count in enumerate(counts):
                _cell(axes, (row, column), count, sum(counts))
        axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
        axes.set_xticks(range(size), matrix.labels)
        axes.set_yticks(range(size), matrix.labels)
        axes.grid(visible=False)
        axes.set(xlabel=rater, ylabel=f"radiologist {reference}")
        return finish(drawn, f"Confusion matrix: {title}")


def _cell(axes: Axes, place: tuple[int, int], count: int, total: int) -> None:
    row, column = place
    if not count:
        return
    opacity = _STRONGEST * count / total
    corner = (column - 0.5, row - 0.5)
    shade = {"facecolor": series_colour(0), "alpha": opacity, "linewidth": 0}
    axes.add_patch(_patches.Rectangle(corner, 1, 1, **shade))
    axes.text(column, row, str(count), ha="center", va="center", fontsize=8)


def _global_scores(
    evaluation: Evaluation, comparisons: Sequence[RaterComparison]
) -> Iterator[Drawing]:
    for item in comparisons:
        pairs = _pairs(evaluation, item)
        if len(pairs):
            yield global_scores(pairs, item)


def _pairs(evaluation: Evaluation, item: RaterComparison) -> Floats:
    """Float64 ``[images, 2]``: the reference's global score and the rater's."""
    found: list[tuple[float, float]] = []
    for image in evaluation.images:
        readers = image.readers
        if item.reference not in readers:
            continue
        if item.kind == READER and item.rater in readers:
            found.append((sum(readers[item.reference]), sum(readers[item.rater])))
        elif item.kind != READER and item.rater in image.bundles:
            found.append((sum(readers[item.reference]), sum(image.bundles[item.rater].score)))
    return np.array(found, np.float64).reshape(-1, 2)


def global_scores(pairs: Floats, item: RaterComparison) -> Drawing:
    """Global scores against each other, and their differences (Bland and Altman)."""
    with figure(170, 80) as drawn:
        beside, differences = drawn.subplots(1, 2)
        _bubbles(beside, pairs[:, 0], pairs[:, 1])
        diagonal(beside, 0, _HIGHEST_GLOBAL)
        beside.set(xlabel=f"radiologist {item.reference}", ylabel=rater_name(item))
        _bubbles(differences, pairs.mean(axis=1), pairs[:, 1] - pairs[:, 0])
        figures = item.agreement.global_score
        for name, style in (("bias", "-"), ("lower_limit", "--"), ("upper_limit", "--")):
            level(differences, _number(figures[name].value), style)
        differences.set(xlabel="mean of both", ylabel="difference")
        return finish(
            drawn,
            f"Global scores of {rater_name(item)} and radiologist {item.reference}, and their "
            "differences with bias and limits of agreement",
        )


def _bubbles(
    axes: Axes,
    across: Floats,
    up: Floats,
) -> None:
    """Points of equal place make one larger point."""
    places, counts = np.unique(np.column_stack((across, up)), axis=0, return_counts=True)
    axes.scatter(
        places[:, 0], places[:, 1], s=12 * counts, color=series_colour(0), alpha=0.6, linewidths=0
    )


def _curves(comparisons: Sequence[RaterComparison], reference: str) -> Iterator[Drawing]:
    for position in range(max((len(item.triage) for item in comparisons), default=0)):
        able = [item for item in comparisons if len(item.triage) > position]
        able = [item for item in able if item.triage[position].curve]
        if able:
            yield severity_curves(able, position, reference)


def severity_curves(
    comparisons: Sequence[RaterComparison], position: int, reference: str
) -> Drawing:
    """Receiver operating characteristics of one threshold, the raters together."""
    threshold = comparisons[0].triage[position].threshold
    with figure(110, 95) as drawn:
        axes = drawn.subplots()
        diagonal(axes, 0, 1)
        for number, item in enumerate(comparisons):
            curve = item.triage[position].curve
            axes.plot(
                [point.false_positive_rate for point in curve],
                [point.sensitivity for point in curve],
                color=series_colour(number),
                marker=series_marker(number),
                markersize=3,
                linewidth=1,
                label=rater_name(item),
            )
        axes.set(xlabel="1 - specificity", ylabel="sensitivity", aspect="equal")
        _legend(axes)
        return finish(
            drawn,
            f"Receiver operating characteristic of global score {threshold} and above, by "
            f"radiologist {reference}",
        )


def _reliabilities(comparisons: Sequence[RaterComparison]) -> Iterator[Drawing]:
    known = [
        (item.rater, item.reliability)
        for item in comparisons
        if item.kind == SCORE and item.reliability is not None
    ]
    if known:
        yield reliability_curves(known)


def reliability_curves(raters: Sequence[tuple[str, Reliability]]) -> Drawing:
    """How often the most probable score is right, by its probability."""
    with figure(110, 95) as drawn:
        axes = drawn.subplots()
        diagonal(axes, 0, 1)
        for number, (name, reliability) in enumerate(raters):
            bins = [part for part in reliability.bins if part.zones]
            axes.plot(
                [_number(part.confidence) for part in bins],
                [_number(part.accuracy) for part in bins],
                color=series_colour(number),
                marker=series_marker(number),
                markersize=4,
                linewidth=1,
                label=name,
            )
        axes.set(xlabel="probability of the score", ylabel="share right", aspect="equal")
        _legend(axes)
        return finish(drawn, "Reliability of the probabilities of zone scores")


def _legend(axes: Axes) -> None:
    """Above the axes, where it covers nothing."""
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
