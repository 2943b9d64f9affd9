"""Agreement of two raters: zones, their mean, all together, and the global score."""

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ....runtime.scores import SCORES, Zone
from ..results import MEAN, POOLED, Figure, RaterAgreement
from .raters import Pair
from .resampling import Draws, Floats, Key, Resamples, figure
from .weighted import Sums, accuracy, confusions, kappa, spearman

ZONES = tuple(zone.value for zone in Zone)
_ZONE = "zones"
_GLOBAL = "global_score"


def draw_agreement(pair: Pair, resamples: Resamples) -> Draws:
    """Every figure of `RaterAgreement`, by its path, for the sample and every resample."""

    def statistic(weights: Floats) -> Draws:
        return dict((*_zone_figures(pair, weights), *_global_figures(pair, weights)))

    return resamples.draw(statistic, pair.images)


def agreement(draws: Draws, pair: Pair, patients: Sequence[Hashable | None]) -> RaterAgreement:
    """Put draws into words.

    Parameters
    ----------
    patients
        Of all evaluated images.
    """
    zones: dict[str, dict[str, Figure]] = {}
    for key, values in draws.items():
        if key[0] == _ZONE:
            zones.setdefault(key[1], {})[key[2]] = figure(values)
    globals_ = {key[1]: figure(values) for key, values in draws.items() if key[0] == _GLOBAL}
    return RaterAgreement(len(pair.images), _count(patients, pair.images), zones, globals_)


def _count(patients: Sequence[Hashable | None], images: NDArray[np.intp]) -> int | None:
    named = {patients[index] for index in images} - {None}
    return len(named) or None


def _zone_figures(pair: Pair, weights: Floats) -> Iterator[tuple[Key, Floats]]:
    """Figures of the zones; `mean` and `pooled` follow the six."""
    each = Sums.of(weights, pair.rater.values, pair.reference.values)
    figures = dict(_of_values(each))
    together = dict(_of_values(each.pooled()))
    if pair.rater.scores is not None:
        matrices = confusions(weights, pair.rater.scores, pair.reference.whole_scores, len(SCORES))
        figures |= dict(_of_classes(matrices))
        together |= dict(_of_classes(matrices.sum(axis=1, keepdims=True)))
    for column, zone in enumerate(ZONES):
        yield from (((_ZONE, zone, name), values[:, column]) for name, values in figures.items())
    yield from (((_ZONE, MEAN, name), values.mean(axis=1)) for name, values in figures.items())
    yield from (((_ZONE, POOLED, name), values[:, 0]) for name, values in together.items())


def _of_values(sums: Sums) -> Iterator[tuple[str, Floats]]:
    yield "mae", sums.mean_absolute_error()
    yield "sd", sums.absolute_error_deviation()
    yield "icc", sums.intraclass_correlation()


def _of_classes(matrices: Floats) -> Iterator[tuple[str, Floats]]:
    yield "accuracy", accuracy(matrices)
    yield "linear_kappa", kappa(matrices, 1)
    yield "quadratic_kappa", kappa(matrices, 2)


def _global_figures(pair: Pair, weights: Floats) -> Iterator[tuple[Key, Floats]]:
    rater, reference = pair.rater.global_values, pair.reference.global_values
    sums = Sums.of(weights, rater[:, None], reference[:, None])
    lower, upper = sums.limits()
    figures = {
        **dict(_of_values(sums)),
        "pearson": sums.pearson(),
        "spearman": spearman(weights, rater, reference)[:, None],
        "bias": sums.bias(),
        "lower_limit": lower,
        "upper_limit": upper,
    }
    yield from (((_GLOBAL, name), values[:, 0]) for name, values in figures.items())
