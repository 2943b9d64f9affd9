"""ONNX Runtime on the CPU: the backend that runs everywhere."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..bundles.bundle import Network
from ..contract import IMAGE
from .base import Outputs, Session
from .onnxrt_session import open_network, run_network, session_options


class OnnxRuntimeSession(Session):
    """Runs a network with ONNX Runtime's CPU provider."""

    backend = "onnxruntime"

    def __init__(self, bundle: Network, threads: int | None = None) -> None:
        """Load the network.

        Parameters
        ----------
        bundle
            A bundle of any precision, or what is to become one.
        threads
            Threads within one operator; None takes all cores.

        Raises
        ------
        BackendUnavailable
            This ONNX Runtime cannot load the network.
        """
        super().__init__(bundle)
        self._session = open_network(bundle.model, session_options(threads))

    def _run(self, images: NDArray[np.float32], outputs: Sequence[str]) -> Outputs:
        return run_network(self._session, {IMAGE: images}, outputs)
