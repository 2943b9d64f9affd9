"""Accuracy decides: the fewest layers go back to float until the scores hold.

The idea is NNCF's accuracy control (openvinotoolkit/nncf): rank the layers by what
they cost in the end metric, which here is the score, and put back the most expensive.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...calibration.ranges.table import CalibrationTable
from ...runtime.progress import Progress, unchanged
from ..graph.graph import Graph
from ..graph.onnx_model import to_onnx
from ..parity.measured import MeasuredReference, measure_scores, probabilities
from ..parity.score_parity import SCORES, ScoreBound, ScoreParity
from .quantize import quantizable, quantize

RANKING_IMAGES = 8
"""Layers are ranked on the images that INT8 changes most."""


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
        Called with the images of the first measurement, with the layers that are ranked, and with
        the images of each further measurement.
    """
    layers = quantizable(graph)

    def build(put_back: Collection[str]) -> Graph:
        return quantize(graph, table, [name for name in layers if name not in put_back])

    everything = build(())
    given = measure_scores(_model(everything), reference.measured, progress)
    tried = reference.parity(given)
    if bound.holds(tried):
        return Quantized(everything, tried, layers, (), tried)
    worst = np.argsort(-_change(reference.probabilities, given)).tolist()
    ranked = _rank(layers, build, reference.some(worst[:RANKING_IMAGES]), progress)
    search = Search(ranked, build, reference, bound, worst, progress)
    count = fewest(len(ranked), lambda number: search.parity(number) is not None)
    put_back = tuple(ranked[:count])
    kept = tuple(name for name in layers if name not in put_back)
    parity = search.parity(count) or search.measure(count)
    return Quantized(build(put_back), parity, kept, put_back, tried)


@dataclass
class Search:
    """What networks with layers put back cost, each measured once and no longer than it takes.

    Attributes
    ----------
    ranked
        Names of the layers, the first to be put back first.
    build
        Makes the network with layers of these names put back.
    reference
        The float32 network on the images to measure on.
    bound
        What must hold.
    worst
        The images by position, those that INT8 changes most first.
    progress
        Called with the images of each measurement.
    known
        What was measured, by the number of layers put back.
    """

    ranked: Sequence[str]
    build: Callable[[Collection[str]], Graph]
    reference: MeasuredReference
    bound: ScoreBound
    worst: Sequence[int]
    progress: Progress
    known: dict[int, ScoreParity | None] = field(default_factory=dict[int, "ScoreParity | None"])

    def parity(self, number: int) -> ScoreParity | None:
        """The score parity with the first so many layers put back; None if it breaks the bound."""
        if number not in self.known:
            self.known[number] = self._measure_while_it_holds(number)
        return self.known[number]

    def measure(self, number: int) -> ScoreParity:
        """The score parity with the first so many layers put back, whatever it is."""
        return self.reference.parity(
            measure_scores(self._model(number), self.reference.measured, self.progress)
        )

    def _measure_while_it_holds(self, number: int) -> ScoreParity | None:
        # Images that were not run yet count as unchanged, so that what breaks the bound now would
        # break it with them, too. Those that INT8 changes most come first.
        given = self.reference.probabilities.copy()
        images = self.reference.measured.images
        run = probabilities(self._model(number), (images[index] for index in self.worst))
        parity = self.reference.parity(given)
        for index, result in zip(self.progress("Measuring scores", self.worst), run, strict=True):
            given[index] = result
            parity = self.reference.parity(given)
            if not self.bound.holds(parity):
                return None
        return parity

    def _model(self, number: int) -> bytes:
        return _model(self.build(self.ranked[:number]))


def _rank(
    layers: Collection[str],
    build: Callable[[Collection[str]], Graph],
    reference: MeasuredReference,
    progress: Progress,
) -> list[str]:
    """Layers by what is gained when each alone goes back to float, the most first."""
    remaining: dict[str, float] = {}
    for name in progress("Ranking layers", list(layers)):
        given = measure_scores(_model(build((name,))), reference.measured)
        remaining[name] = float(_change(reference.probabilities, given).mean())
    return sorted(layers, key=lambda name: remaining[name])


def _change(reference: NDArray[np.float32], given: NDArray[np.float32]) -> NDArray[np.float64]:
    """Change of the expected global score of each image."""
    expected = [np.asarray(p @ SCORES, np.float64) for p in (reference, given)]
    return np.abs(expected[1].sum(axis=1) - expected[0].sum(axis=1))


def _model(graph: Graph) -> bytes:
    return to_onnx(graph).SerializeToString()


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
