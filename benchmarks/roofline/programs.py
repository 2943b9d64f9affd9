"""Any ONNX graph on the runtime of a backend, with the time of each node where asked for.

A `Session` runs a bundle's network; the peak is measured with other graphs, and the profile needs
switches that a session has not. Both runtimes are configured as their sessions configure them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...runtime.backends import BACKENDS
from ...runtime.errors import BackendUnavailable, BenchmarkError, MissingExtra
from .layers import OTHER, Layer, layer_of

Feeds = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class NodeTime:
    """The time of one node of the optimised graph in one run.

    Attributes
    ----------
    name, operator
        As the runtime calls them after fusing and renaming.
    layer
        The part of the network.
    milliseconds
        Wall-clock time.
    """

    name: str
    operator: str
    layer: Layer
    milliseconds: float


class Program(ABC):
    """A graph ready to run."""

    @abstractmethod
    def run(self, feeds: Feeds) -> None:
        """Run once; the outputs are computed and dropped."""

    @abstractmethod
    def node_times(self) -> list[list[NodeTime]]:
        """The nodes' times of every run of a profiled program, which ends with this."""


def load_program(
    backend: str, model: bytes, threads: int | None = None, profiled: bool = False
) -> Program:
    """Load an ONNX graph on a backend's runtime.

    Parameters
    ----------
    backend
        ``onnxruntime`` or ``openvino``.
    model
        The ONNX file's content.
    threads
        None takes all cores.
    profiled
        Whether the time of each node is measured; it makes runs a little slower.

    Raises
    ------
    BenchmarkError
        The backend gives no profile.
    MissingExtra
        It is not installed.
    BackendUnavailable
        It cannot load the graph.
    """
    if backend not in _PROGRAMS:
        raise BenchmarkError(
            f"backend {backend!r} gives no time of its layers here; "
            f"give --backend {' or '.join(_PROGRAMS)}"
        )
    row = next(each for each in BACKENDS if each.name == backend)
    if row.missing:
        raise MissingExtra.of(f"backend {backend!r}", ", ".join(row.missing), row.install)
    try:
        return _PROGRAMS[backend](model, threads, profiled)
    except Exception as error:  # both runtimes raise private types
        raise BackendUnavailable(f"{backend} cannot load the graph: {error}") from error


class _OnnxRuntimeProgram(Program):
    def __init__(self, model: bytes, threads: int | None, profiled: bool) -> None:
        backend = import_module("brixia_edge.runtime.backends.onnxrt_session")
        options = backend.session_options(threads)
        self._folder = TemporaryDirectory(prefix="brixia-edge-")
        self._optimised = Path(self._folder.name) / "optimised.onnx"
        if profiled:
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(self._folder.name) / "profile")
            options.optimized_model_filepath = str(self._optimised)
        self._session: Any = backend.open_network(model, options)

    def run(self, feeds: Feeds) -> None:
        self._session.run(None, dict(feeds))

    def node_times(self) -> list[list[NodeTime]]:
        events = json.loads(Path(self._session.end_profiling()).read_text(encoding="utf-8"))
        onnx = import_module("onnx")
        layers = layers_of_optimised(onnx.load(str(self._optimised)).graph.node)
        self._folder.cleanup()
        return list(times_from_events(events, layers))


class _OpenVinoProgram(Program):
    def __init__(self, model: bytes, threads: int | None, profiled: bool) -> None:
        backend = import_module("brixia_edge.runtime.backends.openvino_cpu")
        options = backend.compile_options(threads) | {"PERF_COUNT": profiled}
        core: Any = backend.ov.Core()
        self._core, self._options = core, options
        self._network = core.read_model(model)
        self._request: Any = None
        self._times: list[list[NodeTime]] | None = [] if profiled else None

    def run(self, feeds: Feeds) -> None:
        if self._request is None:
            self._network.reshape({name: list(value.shape) for name, value in feeds.items()})
            compiled = self._core.compile_model(self._network, "CPU", self._options)
            self._request = compiled.create_infer_request()
        self._request.infer(dict(feeds), share_inputs=True)
        if self._times is not None:
            self._times.append(list(times_from_profile(self._request.profiling_info)))

    def node_times(self) -> list[list[NodeTime]]:
        return self._times or []


_PROGRAMS: Mapping[str, Any] = {
    "onnxruntime": _OnnxRuntimeProgram,
    "openvino": _OpenVinoProgram,
}


def times_from_events(
    events: Iterable[Mapping[str, Any]], layers: Mapping[str, Layer]
) -> Iterator[list[NodeTime]]:
    """The nodes' times of each run in ONNX Runtime's profile.

    Parameters
    ----------
    events
        Its trace events; those of the category ``Node`` have microseconds.
    layers
        Where the nodes of the optimised graph belong.
    """
    nodes: list[NodeTime] = []
    # A run's own event is written behind those of its nodes.
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            name = event["name"].removesuffix("_kernel_time")
            layer = layers.get(name) or layer_of(name)
            nodes.append(NodeTime(name, event["args"]["op_name"], layer, event["dur"] / 1000))
        elif event["name"] == "model_run":
            yield nodes
            nodes = []


def times_from_profile(profile: Iterable[Any]) -> Iterator[NodeTime]:
    """The nodes' times of the last run, from OpenVINO's ``profiling_info``."""
    for node in profile:
        if milliseconds := node.real_time.total_seconds() * 1000:
            yield NodeTime(node.node_name, node.node_type, layer_of(node.node_name), milliseconds)


def layers_of_optimised(nodes: Iterable[Any]) -> dict[str, Layer]:
    """Where the nodes of ONNX Runtime's optimised graph belong.

    What it inserts, as reorderings of memory, has no name of ours. Such a node belongs where the
    first node belongs that writes what it reads, or else that reads what it writes.
    """
    nodes = list(nodes)
    layers = {node.name: layer_of(node.name) for node in nodes}
    writers = {output: node.name for node in nodes for output in node.output}
    readers = {source: node.name for node in reversed(nodes) for source in node.input}
    for node in nodes:
        near = [writers.get(source) for source in node.input]
        near += [readers.get(output) for output in node.output]
        known = [layers[name] for name in near if name and layers[name].group != OTHER]
        if layers[node.name].group == OTHER and known:
            layers[node.name] = known[0]
    return layers
