"""What every backend gives: a session that runs a bundle's network."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ..bundles.bundle import Network
from ..contract import OUTPUTS
from ..errors import BundleError

Outputs = Mapping[str, NDArray[np.float32]]

COPY_IN, ENQUEUE, INFER, COPY_OUT = "copy in", "enqueue", "infer", "copy out"
"""The steps of a run: images to the device, giving it the work, the network, outputs back."""

Mark = Callable[[str], None]
"""Is told the name of each step at the moment it ends."""


class Session(ABC):
    """A network ready to run, as a context manager.

    The base class checks what goes in; a backend fills in `_run` and, where it
    holds more than memory, `_close`.
    """

    backend: str
    """The backend's name, as on the command line."""

    def __init__(self, bundle: Network) -> None:
        self._input_shape = (1, bundle.manifest.preprocess.size, bundle.manifest.preprocess.size)
        self._output_names = tuple(bundle.manifest.outputs)
        self._max_batch = bundle.manifest.max_batch

    def run(self, images: NDArray[np.float32], outputs: Sequence[str] | None = None) -> Outputs:
        """Run the network.

        Parameters
        ----------
        images
            float32 ``[N, 1, 512, 512]`` as `preprocess` makes them, N up to the bundle's
            `max_batch`.
        outputs
            Which outputs to compute and copy back; None gives all.

        Returns
        -------
        float32 arrays by output name.

        Raises
        ------
        ValueError
            The images' dtype or shape, or an output's name, is not the network's.
        BackendUnavailable
            The backend did not do the work: its device is lost, or its memory is short.
        BundleError
            The network does not give what its bundle says.
        """
        names = self._check(images, outputs)
        return _checked(self._run(np.ascontiguousarray(images), names), len(images))

    def run_in_steps(
        self, images: NDArray[np.float32], outputs: Sequence[str] | None, mark: Mark
    ) -> Outputs:
        """Run the network as `run` does, and tell when each of its steps ends.

        A backend tells of those steps that it can tell apart: all of them, in the order of their
        definition, or `INFER` alone. A GPU is waited for after each, which a plain run does not.

        Raises
        ------
        ValueError, BackendUnavailable, BundleError
            As from `run`.
        """
        names = self._check(images, outputs)
        found = self._run_in_steps(np.ascontiguousarray(images), names, mark)
        return _checked(found, len(images))

    def close(self) -> None:
        """Release what the session holds; closing twice does nothing more."""
        self._close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self, images: NDArray[np.float32], outputs: Sequence[str] | None) -> tuple[str, ...]:
        """Refuse what the network does not take or give; returns the outputs' names."""
        self._check_images(images)
        names = self._output_names if outputs is None else tuple(outputs)
        if unknown := [name for name in names if name not in self._output_names]:
            raise ValueError(f"outputs {unknown} do not exist; there are {self._output_names}")
        return names

    def _check_images(self, images: NDArray[np.float32]) -> None:
        if images.dtype != np.float32:
            raise ValueError(f"images have dtype {images.dtype}; the network takes float32")
        if images.ndim != 4 or images.shape[1:] != self._input_shape:
            expected = ", ".join(map(str, self._input_shape))
            raise ValueError(f"images have shape {images.shape}; it must be (N, {expected})")
        if not 1 <= images.shape[0] <= self._max_batch:
            raise ValueError(f"a batch of {images.shape[0]}; allowed are 1 to {self._max_batch}")

    @abstractmethod
    def _run(self, images: NDArray[np.float32], outputs: Sequence[str]) -> Outputs: ...

    def _run_in_steps(
        self, images: NDArray[np.float32], outputs: Sequence[str], mark: Mark
    ) -> Outputs:
        result = self._run(images, outputs)
        mark(INFER)
        return result

    def _close(self) -> None:  # noqa: B027 - most backends hold nothing but memory
        """Release devices, contexts and files."""


def _checked(outputs: Outputs, batch: int) -> Outputs:
    """Refuse outputs that are not the contract's: libraries only warn of a shape not declared."""
    for name, array in outputs.items():
        expected = (batch, *OUTPUTS[name])
        if array.shape != expected or array.dtype != np.float32:
            raise BundleError(
                f"the network gave {name} as {array.dtype} {array.shape}; its bundle says float32 "
                f"{expected}; export the bundle again"
            )
    return outputs
