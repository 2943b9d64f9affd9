"""What of NVIDIA's this machine has: the GPU, TensorRT, and the way to reach them from Python."""

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..backends.trt.gpu import CUDA_PACKAGES, INSTALL_CUDA, device_target
from ..errors import CannotRun, pip_line

JETSON = Path("/etc/nv_tegra_release")

_ON_JETSON = (
    "sudo apt-get install python3-libnvinfer, then make the virtual environment with "
    "--system-site-packages"
)


@dataclass(frozen=True)
class Library:
    """A product of NVIDIA's and the line that installs it."""

    module: str
    install_line: str
    on_jetson: str

    @property
    def install(self) -> str:
        """What to run on this machine."""
        return self.on_jetson if JETSON.exists() else self.install_line


LIBRARIES: Mapping[str, Library] = {
    "tensorrt": Library("tensorrt", pip_line("tensorrt"), _ON_JETSON),
    "tensorrt-rtx": Library(
        "tensorrt_rtx",
        pip_line("tensorrt-rtx"),
        "it is not made for Jetson; use tensorrt",
    ),
}
"""By the name of the backend."""


@dataclass(frozen=True)
class Part:
    """One part: what it is, whether it is here, and its version or what to do."""

    subject: str
    here: bool
    detail: str


def examine_gpu() -> Iterator[Part]:
    """Look at the GPU, the libraries and the packages that reach them."""
    yield find_gpu()
    for backend, library in LIBRARIES.items():
        found = library_version(library.module)
        yield Part(f"library {backend}", bool(found), found or f"missing: {library.install}")
    yield _cuda_package()


def library_version(module: str) -> str:
    """The release of a library as it calls itself; empty when it is absent or cannot be loaded."""
    if find_spec(module) is None:
        return ""
    try:
        library: Any = importlib.import_module(module)
    except (ImportError, OSError):
        return ""
    return str(library.__version__)


def find_gpu() -> Part:
    """The first GPU by its compute capability, or why there is none."""
    try:
        return Part("GPU for TensorRT", True, device_target())
    except CannotRun as error:
        return Part("GPU for TensorRT", False, str(error))


def gpu_target() -> str:
    """The compute capability of the first GPU, ``sm_86`` for 8.6; empty without one."""
    gpu = find_gpu()
    return gpu.detail if gpu.here else ""


def _cuda_package() -> Part:
    """PyCUDA, or cuda-python in its place."""
    for entry in CUDA_PACKAGES:
        if entry.installed:
            return Part("CUDA for Python", True, f"{entry.package} {_release(entry.distribution)}")
    return Part("CUDA for Python", False, f"missing: {INSTALL_CUDA}")


def _release(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of unknown version"
