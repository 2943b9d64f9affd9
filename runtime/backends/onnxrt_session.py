"""The one way to open a network with ONNX Runtime, to score, export, calibrate and measure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendUnavailable
from ..libraries import import_library

ort = import_library("onnxruntime")  # has no type information

_QUIET = 3
"""ONNX Runtime's severity `error`: its warnings on graph details help no user."""

_PROVIDERS = ["CPUExecutionProvider"]
"""Where ONNX Runtime computes."""


def session_options(threads: int | None = None) -> Any:
    """How a network is run; `threads` within one operator, None takes all cores."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = _QUIET
    # One image after another takes 0.6 GB so, 0.9 GB with patterns. Without the arena freed
    # activations scatter over the C heap, which then grows from image to image.
    options.enable_mem_pattern = False
    return options


def open_network(model: Path | bytes, options: Any | None = None) -> Any:
    """Open a network on the CPU.

    Parameters
    ----------
    model
        An ONNX file, or its content.
    options
        As `session_options` gives them, which stands for None.

    Returns
    -------
    An ``onnxruntime.InferenceSession``.

    Raises
    ------
    BackendUnavailable
        This ONNX Runtime cannot load the network.
    """
    source, what = (model, "a network") if isinstance(model, bytes) else (str(model), str(model))
    try:
        # ONNX Runtime's fallback tries the same once more, and prints to standard output.
        return ort.InferenceSession(
            source, options or session_options(), providers=_PROVIDERS, enable_fallback=0
        )
    except Exception as error:  # ONNX Runtime raises many private types
        raise BackendUnavailable(
            f"ONNX Runtime {ort.__version__} cannot load {what} ({type(error).__name__}: {error}); "
            "update it: pip install -U onnxruntime"
        ) from error


def run_network(
    network: Any, inputs: Mapping[str, NDArray[np.float32]], outputs: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Run a network that `open_network` gave.

    Parameters
    ----------
    network
        The session.
    inputs
        Arrays by the inputs' names.
    outputs
        Names of the outputs to compute.

    Returns
    -------
    dict
        Arrays by the outputs' names.

    Raises
    ------
    BackendUnavailable
        ONNX Runtime does not do the work.
    """
    try:
        arrays = network.run(list(outputs), dict(inputs))
    except Exception as error:  # ONNX Runtime raises many private types
        raise BackendUnavailable(
            f"ONNX Runtime {ort.__version__} could not run the network ({type(error).__name__}: "
            f"{error}); if memory is short, free some, else update it: pip install -U onnxruntime"
        ) from error
    return dict(zip(outputs, arrays, strict=True))
