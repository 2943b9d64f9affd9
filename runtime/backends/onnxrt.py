"""ONNX Runtime on the CPU: the backend that runs everywhere."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundles.bundle import Bundle
from ..errors import BackendUnavailable
from .base import IMAGE, Outputs, Session

ort: Any = import_module("onnxruntime")  # has no type information

_QUIET = 3
"""ONNX Runtime's severity `error`: its warnings on graph details help no user."""

PROVIDERS = ["CPUExecutionProvider"]
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


class OnnxRuntimeSession(Session):
    """Runs a bundle's ``model.onnx`` with ONNX Runtime's CPU provider."""

    backend = "onnxruntime"

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        """Load the network.

        Parameters
        ----------
        bundle
            An opened bundle of any precision.
        threads
            Threads within one operator; None takes all cores.

        Raises
        ------
        BackendUnavailable
            This ONNX Runtime cannot load the network.
        """
        super().__init__(bundle)
        try:
            self._session = ort.InferenceSession(
                str(bundle.model_path), session_options(threads), providers=PROVIDERS
            )
        except Exception as error:  # ONNX Runtime raises many private types
            raise BackendUnavailable(
                f"ONNX Runtime {ort.__version__} cannot load {bundle.model_path} "
                f"({type(error).__name__}: {error}); update it: pip install -U onnxruntime"
            ) from error

    def _run(self, images: NDArray[np.float32], outputs: Sequence[str]) -> Outputs:
        arrays = self._session.run(list(outputs), {IMAGE: images})
        return dict(zip(outputs, arrays, strict=True))
