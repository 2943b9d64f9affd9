"""Accuracy decides: the fewest layers go back to float until the scores hold.

The idea is NNCF's accuracy control (openvinotoolkit/nncf): rank the layers by what
they cost in the end metric, which here is the score, and put back the most expensive.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...calibration.ranges.table import CalibrationTable
from ...runtime.progress import Progress, unchanged
from ..graph.graph import Graph
from ..graph.onnx_model import to_onnx
from ..parity.measured import MeasuredReference, probabilities
from ..parity.score_parity import SCORES, ScoreParity
from .quantize import quantizable, quantize

RANKING_IMAGES = 8
"""Layers are ranked on the images that INT8 changes most."""


@dataclass(frozen=True)
class ScoreBound:
    """How much a precision may change scores.

    Attributes
    ----------
    score_drop
        Largest 99th percentile of the change of the expected global score.
    zone_agreement
        Smallest share of zones with the same score.
    """

    score_drop: float = 0.5
    zone_agreement: float = 0.98

    def holds(self, parity: ScoreParity) -> bool:
        """Whether a network keeps the bound."""
        return (
            parity.expected_global.p99 <= self.score_drop
            and parity.zone_agreement >= self.zone_agreement
        )


@dataclass(frozen=True)
class Quantized:
    """An INT8 network that keeps the bound, and how it came about.

    Attributes
    ----------
    graph
        The network.
    parity
        Its scores against float32.
    convolutions
        Names of the quantized convolutions.
    put_back
        Names of those that went back to float, the most expensive first.
    tried
        The score parity with nothing put back.
    """

    graph: Graph
    parity: ScoreParity
    convolutions: tuple[str, ...]
    put_back: tuple[str, ...]
    tried: ScoreParity


def quantize_within(
    graph: Graph,
    table: CalibrationTable,
    reference: MeasuredReference,
    bound: ScoreBound,
    progress: Progress = unchanged,
) -> Quantized:
    """Quantize all that may be, and put back the fewest layers that keep the bound.

    Parameters
    ----------
    graph
        The float32 network, rewritten for INT8.
    table
        Ranges of its activations.
    reference
        The float32 network on images that calibration did not use.
    bound
        What must hold.
    progress
        Called with the images of the first measurement, and with the layers that are ranked.
    """
    layers = quantizable(graph)

    def build(put_back: Collection[str]) -> Graph:
        return quantize(graph, table, [name for name in layers if name not in put_back])

    def measure(put_back: Collection[str]) -> ScoreParity:
        return reference.compare(to_onnx(build(put_back)).SerializeToString())

    everything = build(())
    tried = reference.compare(to_onnx(everything).SerializeToString(), progress)
    if bound.holds(tried):
        return Quantized(everything, tried, layers, (), tried)
    ranked = _rank(layers, build, _most_changed(reference, everything), progress)
    count = fewest(len(ranked), lambda number: bound.holds(measure(ranked[:number])))
    put_back = tuple(ranked[:count])
    kept = tuple(name for name in layers if name not in put_back)
    return Quantized(build(put_back), measure(put_back), kept, put_back, tried)


def _rank(
    layers: Collection[str],
    build: Callable[[Collection[str]], Graph],
    reference: MeasuredReference,
    progress: Progress,
) -> list[str]:
    """Layers by what is gained when each alone goes back to float, the most first."""
    remaining = {
        name: _change(reference, build((name,))).mean()
        for name in progress("Ranking layers", list(layers))
    }
    return sorted(layers, key=lambda name: remaining[name])


def _most_changed(reference: MeasuredReference, graph: Graph) -> MeasuredReference:
    worst = np.argsort(-_change(reference, graph))[:RANKING_IMAGES]
    return reference.some(worst.tolist())


def _change(reference: MeasuredReference, graph: Graph) -> NDArray[np.float64]:
    """Change of the expected global score of each image."""
    other = probabilities(to_onnx(graph).SerializeToString(), reference.measured)
    expected = [np.asarray(p @ SCORES, np.float64) for p in (reference.probabilities, other)]
    return np.abs(expected[1].sum(axis=1) - expected[0].sum(axis=1))


def fewest(count: int, holds: Callable[[int], bool]) -> int:
    """The smallest number from 1 to `count` that holds: doubling, then halving the interval.

    `count` itself is taken to hold: with every layer in float nothing is changed.
    """
    high = 1
    while high < count and not holds(high):
        high *= 2
    low, high = high // 2, min(high, count)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
