"""About how long work with a network takes on this machine, told before it begins."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from ..runtime.backends.onnxrt_session import open_network
from ..runtime.bundles.bundle import Network
from .choosing.survey import MAXIMUM_CANDIDATES

GMAC = 94.0
"""Products of one image in a BS-Net, in 10^9; nearly all are convolutions of 3 x 3."""

COLLECTING = 1.4
"""What an image takes whose tensors are counted, in runs of the float32 network."""

_CHANNELS, _SIZE = 64, 256
"""One convolution as the decoder has many."""

_RUNS = 3
"""Of which the fastest counts: the first one also makes room."""

_OPSET, _IR_VERSION = 17, 8
"""Of the convolution: every ONNX Runtime that can run a bundle knows them."""

_numpy_helper: Any = onnx.numpy_helper  # has unbound type variables


def seconds_an_image(network: Network | None = None) -> float:
    """How long ONNX Runtime takes for one image in float32 with all cores, in seconds.

    Parameters
    ----------
    network
        It is run; None stands for a BS-Net that is not built yet, and is worked out from a single
        convolution.

    Raises
    ------
    BackendUnavailable
        ONNX Runtime cannot load it.
    """
    if network is not None:
        return _seconds(network.model)
    return _seconds(_convolution()) * GMAC / (9 * _CHANNELS**2 * _SIZE**2 / 1e9)


def calibration_runs(files: int, chosen: int) -> float:
    """How many runs of the float32 network looking through files and collecting ranges take."""
    looked_through = min(files, MAXIMUM_CANDIDATES)
    return looked_through + COLLECTING * min(chosen, looked_through)


def _seconds(model: Path | bytes) -> float:
    session = open_network(model)
    blank = {entry.name: _zeros(entry.shape) for entry in session.get_inputs()}
    return min(_timed(session, blank) for _ in range(_RUNS))


def _timed(session: Any, blank: Mapping[str, NDArray[np.float32]]) -> float:
    started = perf_counter()
    session.run(None, blank)
    return perf_counter() - started


def _zeros(shape: Sequence[int | str]) -> NDArray[np.float32]:
    """One image: whatever size is not a number is the batch."""
    return np.zeros([size if isinstance(size, int) else 1 for size in shape], np.float32)


def _convolution() -> bytes:
    kernel = np.ones((_CHANNELS, _CHANNELS, 3, 3), np.float32)
    shape = [1, _CHANNELS, _SIZE, _SIZE]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "kernel"], ["maps"], pads=[1, 1, 1, 1])],
        "convolution",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, shape)],
        [_numpy_helper.from_array(kernel, "kernel")],
    )
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
    return model.SerializeToString()
