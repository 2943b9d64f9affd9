"""Runs a network on one image after the other and keeps a histogram of every tensor watched."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from ...runtime.backends.onnxrt_session import open_network
from ...runtime.contract import IMAGE
from ...runtime.errors import CalibrationError
from .histogram import Histogram
from .tensors import Tensor, watched_tensors

GROUP_BYTES = 1_000_000_000
"""Tensors that are held at one time; a network with more runs once for each such group.

Those of a BS-Net are 0.5 GB, so that one run shows all of them.
"""

_onnx: Any = onnx  # its `load_model` is typed in part only


class Collector:
    """Histograms of a network's activations, in bounded memory.

    A tensor that only rearranges others (a concatenation, a reshape) is not looked at: its
    histogram is the sum of theirs. Nor is what a ReLU makes of one that is.
    """

    def __init__(self, model: Path | bytes, tensors: Sequence[str] | None = None) -> None:
        """Load the network.

        Parameters
        ----------
        model
            An ONNX file in float32, or its content.
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
        self._groups = [_Group(network, group) for group in group_by_size(looked_at)]

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
        if tensor.rectified:
            return complete[tensor.sources[0]].rectified(tensor.name)
        union = Histogram(tensor.name)
        for source in tensor.sources:
            union.merge(complete[source])
        return union


class _Group:
    """A session that returns some of the network's tensors.

    It writes every image's into the same arrays: to let go of a gigabyte and ask for it anew takes
    the system about as long as the network runs.
    """

    def __init__(self, network: onnx.ModelProto, tensors: Sequence[Tensor]) -> None:
        computed = [tensor for tensor in tensors if tensor.name != IMAGE]
        self._has_image = len(computed) < len(tensors)
        self._session = _open(network, [tensor.name for tensor in computed]) if computed else None
        self._binding: Any = self._session.io_binding() if self._session else None
        self._values = {tensor.name: self._bind(tensor) for tensor in computed}

    def run(self, image: NDArray[np.float32]) -> list[tuple[str, NDArray[np.float32]]]:
        seen = [(IMAGE, image)] if self._has_image else []
        if self._session is None:
            return seen
        self._binding.bind_cpu_input(IMAGE, image)
        self._session.run_with_iobinding(self._binding)
        written = self._binding.get_outputs()
        values = [
            written[place].numpy() if kept is None else kept
            for place, kept in enumerate(self._values.values())
        ]
        return [*seen, *zip(self._values, values, strict=True)]

    def _bind(self, tensor: Tensor) -> NDArray[np.float32] | None:
        """Give a tensor its array; None where only the run tells how large it must be."""
        if tensor.shape is None:
            self._binding.bind_output(tensor.name)
            return None
        values = np.empty(tensor.shape, np.float32)
        place = (tensor.name, "cpu", 0, np.float32, tensor.shape, values.ctypes.data)
        self._binding.bind_output(*place)
        return values


def group_by_size(tensors: Sequence[Tensor], limit: int = GROUP_BYTES) -> list[list[Tensor]]:
    """Cut the tensors, in their order, into groups of at most `limit` bytes as float32.

    A tensor above the limit is a group of its own.
    """
    groups: list[list[Tensor]] = []
    held = limit + 1
    for tensor in tensors:
        size = tensor.elements * 4
        if held + size > limit:
            groups.append([])
            held = 0
        groups[-1].append(tensor)
        held += size
    return groups


def _load(model: Path | bytes) -> onnx.ModelProto:
    try:
        if isinstance(model, bytes):
            return _onnx.load_model_from_string(model)
        return _onnx.load_model(model)
    except Exception as error:  # protobuf raises private types
        what = "this" if isinstance(model, bytes) else model
        raise CalibrationError(
            f"{what} is not an ONNX network ({type(error).__name__}); export the bundle again"
        ) from error


def _open(network: onnx.ModelProto, names: Sequence[str]) -> Any:
    model = onnx.ModelProto()
    model.CopyFrom(network)
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    return open_network(model.SerializeToString())
