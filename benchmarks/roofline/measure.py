"""The network against its floor: one run that times it, its layers and the machine's peak."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ...runtime.backends import open_session
from ...runtime.backends.base import Session
from ...runtime.bundles.bundle import Bundle
from ...runtime.contract import IMAGE, SCORE_OUTPUTS
from .layers import GROUPS
from .peak import Peak, Yardstick, find_peaks, yardsticks
from .programs import NodeTime, Program, load_program
from .work import NodeWork, count_work

ROUNDS = 11
"""In each round the network, its profile and every graph for the peak run once."""

WARM_UP_ROUNDS = 2


@dataclass(frozen=True)
class Part:
    """A group, a block or an operator of the network against its floor.

    Attributes
    ----------
    name
        Of `layers.GROUPS`, of a block, or of an operator as the runtime calls it.
    gmac
        10^9 multiply-accumulates of one image.
    weight_bytes, activation_bytes
        What its products read and write.
    floor
        Milliseconds that its products take at the machine's peak.
    measured
        Milliseconds in the runtime's profile.
    """

    name: str
    gmac: float
    weight_bytes: int
    activation_bytes: int
    floor: float
    measured: float

    @property
    def share(self) -> float:
        """Share of the peak that was reached; 0 for what was not measured."""
        return self.floor / self.measured if self.measured else 0.0

    @property
    def gap(self) -> float:
        """Milliseconds above the floor."""
        return self.measured - self.floor


@dataclass(frozen=True)
class Roofline:
    """The network, its parts, and the machine's peak, in one run.

    Attributes
    ----------
    bundle, precision, variant, backend
        What ran; see `runtime.results.ModelIdentity`.
    network
        Median milliseconds of one image, measured without a profile.
    profiled
        Median milliseconds of the sum of all nodes in the profile; it is a little longer, and
        the parts are parts of it.
    total
        The whole network; its `measured` is `network`.
    groups, blocks, operators
        The parts of the profile, each list complete. Operators have no floor.
    peaks
        By precision, and ``memory``.
    """

    bundle: str
    precision: str
    variant: str
    backend: str
    network: float
    profiled: float
    total: Part
    groups: tuple[Part, ...]
    blocks: tuple[Part, ...]
    operators: tuple[Part, ...]
    peaks: Mapping[str, Peak]

    @property
    def memory_floor(self) -> float:
        """Milliseconds to move the products' operands and results once through memory."""
        moved = self.total.weight_bytes + self.total.activation_bytes
        return moved / self.peaks["memory"].rate / 1e6


def measure_roofline(
    bundle: Bundle,
    backend: str,
    image: NDArray[np.float32],
    threads: int | None = None,
    rounds: int = ROUNDS,
) -> Roofline:
    """Count the network's work, and time it, its layers and the peak in turns.

    Parameters
    ----------
    bundle
        Of any precision.
    backend
        ``onnxruntime`` or ``openvino``.
    image
        float32 ``[1, 1, 512, 512]``, a prepared radiograph.
    threads
        None takes all cores.
    rounds
        How often each is timed.

    Raises
    ------
    BenchmarkError
        The backend gives no profile, or runs no matrix product of a kind that the network has.
    MissingExtra
        It or the package onnx is not installed.
    """
    profiled = load_program(backend, bundle.model.read_bytes(), threads, profiled=True)
    work = count_work(bundle.model)
    sticks = yardsticks(
        backend, [*dict.fromkeys(node.precision for node in work), "memory"], threads
    )
    with open_session(bundle, backend, threads) as session:
        timed = _time_in_turns(session, profiled, sticks, image, rounds)
    peaks = find_peaks(zip(sticks, timed.yardsticks, strict=True))
    parts = _Parts(work, peaks, timed.nodes)
    network, identity = median(timed.network), bundle.identity
    return Roofline(
        bundle=identity.name,
        precision=identity.precision,
        variant=identity.variant,
        backend=backend,
        network=network,
        profiled=median(sum(node.milliseconds for node in run) for run in timed.nodes),
        total=parts.total(network),
        groups=parts.by_group(),
        blocks=parts.by_block(),
        operators=parts.by_operator(),
        peaks=peaks,
    )


@dataclass(frozen=True)
class _Timed:
    """Milliseconds of the network, its profiles, and seconds of each yardstick, by round."""

    network: list[float]
    nodes: list[list[NodeTime]]
    yardsticks: list[list[float]]


def _time_in_turns(
    session: Session,
    profiled: Program,
    sticks: Sequence[Yardstick],
    image: NDArray[np.float32],
    rounds: int,
) -> _Timed:
    network: list[float] = []
    seconds: list[list[float]] = [[] for _ in sticks]
    for _ in range(WARM_UP_ROUNDS + rounds):
        started = perf_counter()
        session.run(image, SCORE_OUTPUTS)
        network.append((perf_counter() - started) * 1000)
        profiled.run({IMAGE: image})
        for times, stick in zip(seconds, sticks, strict=True):
            times.append(stick.time())
    return _Timed(
        network[WARM_UP_ROUNDS:],
        profiled.node_times()[WARM_UP_ROUNDS:],
        [times[WARM_UP_ROUNDS:] for times in seconds],
    )


class _Parts:
    """Work and times gathered by what they belong to."""

    def __init__(
        self,
        work: Sequence[NodeWork],
        peaks: Mapping[str, Peak],
        runs: Sequence[Sequence[NodeTime]],
    ) -> None:
        self._work, self._peaks, self._runs = work, peaks, runs

    def total(self, measured: float) -> Part:
        return self._part("network", self._work, measured)

    def by_group(self) -> tuple[Part, ...]:
        measured = self._medians(lambda node: node.layer.group)
        work = {group: [n for n in self._work if n.layer.group == group] for group in GROUPS}
        return tuple(self._part(group, work[group], measured.get(group, 0.0)) for group in GROUPS)

    def by_block(self) -> tuple[Part, ...]:
        """Blocks, that with the most time above its floor first."""
        parts = [
            self._part(block, [node for node in self._work if node.layer.block == block], time)
            for block, time in self._medians(lambda node: node.layer.block).items()
        ]
        return tuple(sorted(parts, key=lambda part: -part.gap))

    def by_operator(self) -> tuple[Part, ...]:
        """Operators of the optimised graph, the one that takes the most time first."""
        medians = self._medians(lambda node: node.operator)
        parts = [self._part(operator, [], time) for operator, time in medians.items()]
        return tuple(sorted(parts, key=lambda part: -part.measured))

    def _medians(self, key: Callable[[NodeTime], str]) -> dict[str, float]:
        """Median over the runs of the summed milliseconds of the nodes with the same key."""
        sums = [_summed(run, key) for run in self._runs]
        names = dict.fromkeys(name for totals in sums for name in totals)
        return {name: median(totals.get(name, 0.0) for totals in sums) for name in names}

    def _part(self, name: str, work: Sequence[NodeWork], measured: float) -> Part:
        return Part(
            name=name,
            gmac=sum(node.macs for node in work) / 1e9,
            weight_bytes=sum(node.weight_bytes for node in work),
            activation_bytes=sum(node.activation_bytes for node in work),
            floor=sum(node.macs / self._peaks[node.precision].rate for node in work) / 1e6,
            measured=measured,
        )


def _summed(run: Sequence[NodeTime], key: Callable[[NodeTime], str]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for node in run:
        totals[key(node)] = totals.get(key(node), 0.0) + node.milliseconds
    return totals
