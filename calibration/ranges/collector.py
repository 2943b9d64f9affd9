"""Runs a network on one image after the other and keeps a histogram of every tensor watched."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from ...runtime.backends.onnxrt_session import open_network, session_options
from ...runtime.contract import IMAGE
from ...runtime.errors import CalibrationError
from .histogram import Histogram
from .tensors import Tensor, watched_tensors

GROUP_BYTES = 800_000_000
"""Tensors that are held at one time; a network with more runs once for each such group."""

_onnx: Any = onnx  # its `load_model` is typed in part only


class Collector:
    """Histograms of a network's activations, in bounded memory.

    A tensor that only rearranges others (a concatenation, a reshape) is not looked at: its
    histogram is the sum of theirs.
    """

    def __init__(self, model: Path, tensors: Sequence[str] | None = None) -> None:
        """Load the network.

        Parameters
        ----------
        model
            An ONNX file in float32.
        tensors
            Names to watch; None takes all of `watched_tensors`.

        Raises
        ------
        CalibrationError
            The file is no ONNX network, or lacks a tensor.
        BackendUnavailable
            ONNX Runtime cannot load it.
        """
        network = _load(model)
        self._tensors = watched_tensors(network, tensors)
        self._wanted = None if tensors is None else frozenset(tensors)
        self._histograms = {tensor.name: Histogram(tensor.name) for tensor in self._tensors}
        looked_at = [tensor for tensor in self._tensors if not tensor.sources]
        self._groups = [_Group(network, names) for names in group_by_size(looked_at)]

    def add(self, image: NDArray[np.float32]) -> None:
        """Run one image, float32 ``[1, 1, 512, 512]`` as `preprocess` makes it.

        Raises
        ------
        CalibrationError
            A tensor is not finite; it is named, and it is the first in the order of execution.
        """
        for group in self._groups:
            for name, values in group.run(image):
                self._histograms[name].add(values)

    def histograms(self) -> Mapping[str, Histogram]:
        """The histograms so far of the tensors asked for, in the order of execution."""
        complete: dict[str, Histogram] = {}
        for tensor in self._tensors:
            complete[tensor.name] = self._complete(tensor, complete)
        wanted = self._wanted
        return {name: seen for name, seen in complete.items() if wanted is None or name in wanted}

    def _complete(self, tensor: Tensor, complete: Mapping[str, Histogram]) -> Histogram:
        if not tensor.sources:
            return self._histograms[tensor.name]
        union = Histogram(tensor.name)
        for source in tensor.sources:
            union.merge(complete[source])
        return union


class _Group:
    """A session that returns some of the network's tensors."""

    def __init__(self, network: onnx.ModelProto, names: Sequence[str]) -> None:
        self._names = [name for name in names if name != IMAGE]
        self._has_image = IMAGE in names
        self._session = _open(network, self._names) if self._names else None

    def run(self, image: NDArray[np.float32]) -> list[tuple[str, NDArray[np.float32]]]:
        seen = [(IMAGE, image)] if self._has_image else []
        if self._session is None:
            return seen
        values = self._session.run(self._names, {IMAGE: image})
        return [*seen, *zip(self._names, values, strict=True)]


def group_by_size(tensors: Sequence[Tensor], limit: int = GROUP_BYTES) -> list[list[str]]:
    """Cut the tensors, in their order, into groups of at most `limit` bytes as float32.

    A tensor above the limit is a group of its own.
    """
    groups: list[list[str]] = []
    held = limit + 1
    for tensor in tensors:
        size = tensor.elements * 4
        if held + size > limit:
            groups.append([])
            held = 0
        groups[-1].append(tensor.name)
        held += size
    return groups


def _load(path: Path) -> onnx.ModelProto:
    try:
        return _onnx.load_model(path)
    except Exception as error:  # protobuf raises private types
        raise CalibrationError(
            f"{path} is not an ONNX network ({type(error).__name__}); export the bundle again"
        ) from error


def _open(network: onnx.ModelProto, names: Sequence[str]) -> Any:
    model = onnx.ModelProto()
    model.CopyFrom(network)
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    options = session_options()
    options.enable_cpu_mem_arena = False  # it would keep every tensor's memory until the end
    return open_network(model.SerializeToString(), options)
