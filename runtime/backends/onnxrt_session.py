"""The one way to open a network with ONNX Runtime, to score, export, calibrate and measure."""

from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import BackendUnavailable

ort: Any = import_module("onnxruntime")  # has no type information

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
        return ort.InferenceSession(source, options or session_options(), providers=_PROVIDERS)
    except Exception as error:  # ONNX Runtime raises many private types
        raise BackendUnavailable(
            f"ONNX Runtime {ort.__version__} cannot load {what} ({type(error).__name__}: {error}); "
            "update it: pip install -U onnxruntime"
        ) from error
