"""The few things a TensorRT session wants of CUDA, whichever package gives them.

PyCUDA serves, or cuda-python where PyCUDA (a source package) cannot be had;
nothing else in the code knows which.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendUnavailable, MissingExtra


class Gpu(ABC):
    """The first GPU: its primary context, one stream, and all memory taken through it.

    The context is current only within `active`, so that sessions of several threads, and other
    users of the GPU in the process, leave each other alone.
    """

    target: str
    """The compute capability, ``sm_86`` for 8.6."""

    stream: int
    """The handle of the one stream that all work goes to."""

    @contextmanager
    def active(self) -> Generator[None]:
        """Make the context current in this thread."""
        self._push()
        try:
            yield
        finally:
            self._pop()

    @abstractmethod
    def close(self) -> None:
        """Release the stream and the context; memory must have been released before."""

    @abstractmethod
    def allocate(self, size: int) -> "Allocation":
        """Take device memory of `size` bytes, aligned to 256."""

    @abstractmethod
    def allocate_host(self, shape: Sequence[int]) -> "HostAllocation":
        """Take page-locked memory for a float32 array."""

    @abstractmethod
    def upload(self, address: int, source: NDArray[np.float32]) -> None:
        """Copy from page-locked memory to the device, on the stream."""

    @abstractmethod
    def download(self, target: NDArray[np.float32], address: int) -> None:
        """Copy from the device to page-locked memory, on the stream."""

    @abstractmethod
    def synchronize(self) -> None:
        """Wait until the stream has done all its work."""

    @abstractmethod
    def _push(self) -> None: ...

    @abstractmethod
    def _pop(self) -> None: ...


@dataclass(frozen=True)
class Allocation:
    """Device memory."""

    address: int
    free: Callable[[], None]


@dataclass(frozen=True)
class HostAllocation:
    """Page-locked memory as an array; it must not be used after `free`."""

    array: NDArray[np.float32]
    free: Callable[[], None]


@dataclass(frozen=True)
class CudaPackage:
    """A package that gives CUDA to Python."""

    package: str
    distribution: str
    module: str
    gpu: str

    @property
    def installed(self) -> bool:
        """Whether it is installed here."""
        try:
            return find_spec(self.package) is not None
        except (ModuleNotFoundError, ValueError):
            return False


CUDA_PACKAGES = (
    CudaPackage("pycuda", "pycuda", "gpu_pycuda", "PyCudaGpu"),
    CudaPackage("cuda.bindings", "cuda-bindings", "gpu_cuda_bindings", "CudaBindingsGpu"),
)
"""Those that serve, the preferred one first."""

INSTALL_CUDA = "pip install pycuda (or, where it cannot be built, pip install cuda-python)"


def open_gpu() -> Gpu:
    """Open the first GPU.

    Raises
    ------
    MissingExtra
        No package gives CUDA to Python.
    BackendUnavailable
        There is no GPU or driver.
    """
    reasons: list[str] = []
    for entry in CUDA_PACKAGES:
        if entry.installed:
            try:
                module = importlib.import_module(f".{entry.module}", __package__)
                return getattr(module, entry.gpu)()
            except (ImportError, OSError, RuntimeError) as error:
                reasons.append(f"{entry.package}: {error}")
            except BackendUnavailable as error:
                reasons.append(str(error))
    if reasons:
        raise BackendUnavailable(f"no GPU can be used ({'; '.join(reasons)}); see its driver")
    raise MissingExtra(f"a GPU needs pycuda or cuda-python; install one: {INSTALL_CUDA}")


def device_target() -> str:
    """The compute capability of the first GPU, ``sm_86`` for 8.6.

    Raises
    ------
    MissingExtra, BackendUnavailable
        See `open_gpu`.
    """
    with ExitStack() as stack:
        gpu = open_gpu()
        stack.callback(gpu.close)
        return gpu.target
