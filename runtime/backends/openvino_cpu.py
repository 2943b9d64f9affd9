"""OpenVINO on the CPU: the fastest where it is installed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundles.bundle import Bundle
from ..contract import IMAGE
from ..errors import BackendUnavailable
from ..libraries import import_library
from .base import COPY_OUT, INFER, Mark, Outputs, Session

ov = import_library("openvino")  # as Any: its stubs are incomplete


def compile_options(threads: int | None = None) -> dict[str, Any]:
    """How a network is compiled; `threads` of one inference, None takes all cores."""
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads or 0,
        # Without this, CPUs with bfloat16 compute in it and scores depend on the machine.
        "INFERENCE_PRECISION_HINT": "f32",
    }


class OpenVinoSession(Session):
    """Runs a bundle's ``model.onnx`` with OpenVINO's CPU plugin."""

    backend = "openvino"

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        """Read the network; it is compiled for each batch size on first use.

        Parameters
        ----------
        bundle
            An opened bundle of any precision.
        threads
            Threads of one inference; None takes all cores.

        Raises
        ------
        BackendUnavailable
            This OpenVINO cannot read the network.
        """
        super().__init__(bundle)
        self._options = compile_options(threads)
        self._path = bundle.model
        self._requests: dict[int, Any] = {}
        self._core: Any = ov.Core()
        self._request(1)

    def _run(self, images: NDArray[np.float32], outputs: Sequence[str]) -> Outputs:
        return self._run_in_steps(images, outputs, lambda step: None)

    def _run_in_steps(
        self, images: NDArray[np.float32], outputs: Sequence[str], mark: Mark
    ) -> Outputs:
        request = self._request(len(images))
        try:
            request.infer({IMAGE: images}, share_inputs=True)
        except RuntimeError as error:
            raise BackendUnavailable(
                f"OpenVINO {ov.__version__} could not run the network ({error}); if memory is "
                "short, free some, else give --backend onnxruntime"
            ) from error
        mark(INFER)
        result = {name: np.array(request.get_tensor(name).data, np.float32) for name in outputs}
        mark(COPY_OUT)
        return result

    def _request(self, batch: int) -> Any:
        if batch not in self._requests:
            self._requests[batch] = self._compile(batch)
        return self._requests[batch]

    def _compile(self, batch: int) -> Any:
        try:
            model = self._core.read_model(self._path)
            model.reshape({IMAGE: [batch, *self._input_shape]})
            return self._core.compile_model(model, "CPU", self._options).create_infer_request()
        except RuntimeError as error:
            raise BackendUnavailable(
                f"OpenVINO {ov.__version__} cannot load {self._path} ({error}); "
                "update it: pip install -U openvino, or give --backend onnxruntime"
            ) from error

    def _close(self) -> None:
        self._requests.clear()
