"""What was measured, and on which machine."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...runtime.backends import BACKENDS
from ...runtime.bundles.manifest import MODEL
from ...runtime.inspection.machine_gpu import LIBRARIES, gpu_target, library_version
from ...runtime.results import LIGHT, kind_of
from ..machine.observation import read_text
from .sample_image import SampleImage
from .stages import Pipeline

_PACKAGES = ("brixia-edge", "numpy", "opencv-python-headless", "pydicom", "onnxruntime", "openvino")


@dataclass(frozen=True)
class BenchmarkSubject:
    """What ran.

    Attributes
    ----------
    bundle, precision, variant, weights_sha256, model_sha256
        The bundle's name, precision, variant, weights, and network file.
    backend
        That ran, also where ``auto`` was asked for.
    threads
        CPU threads; None for all cores.
    batch
        Images in a run.
    image, image_sha256
        The file, in words, and its content.
    """

    bundle: str
    precision: str
    variant: str
    weights_sha256: str
    model_sha256: str
    backend: str
    threads: int | None
    batch: int
    image: str
    image_sha256: str

    @property
    def told(self) -> str:
        """Model and backend, in words."""
        kind = kind_of(self.precision, self.variant == LIGHT)
        return f"{self.bundle} {kind} on {self.backend}"


@dataclass(frozen=True)
class Machine:
    """Where it ran.

    Attributes
    ----------
    processor
        As the system calls it; on a board that names itself, the board.
    cores
        Logical cores.
    architecture, system
        As Python tells them.
    gpu
        The compute capability of the GPU that did the work, else empty.
    versions
        Of the libraries that take part.
    """

    processor: str
    cores: int
    architecture: str
    system: str
    gpu: str
    versions: Mapping[str, str]


def describe_subject(
    pipeline: Pipeline, threads: int | None, image: SampleImage
) -> BenchmarkSubject:
    """Put down what a pipeline runs."""
    identity = pipeline.bundle.identity
    return BenchmarkSubject(
        bundle=identity.name,
        precision=identity.precision,
        variant=identity.variant,
        weights_sha256=identity.sha256,
        model_sha256=pipeline.bundle.manifest.files[MODEL],
        backend=pipeline.backend,
        threads=threads,
        batch=pipeline.batch,
        image=image.told,
        image_sha256=image.sha256,
    )


def describe_machine(gpu: bool, root: Path = Path("/")) -> Machine:
    """Put down the machine.

    Parameters
    ----------
    gpu
        Whether a GPU does the work.
    root
        Where ``/proc`` is; for the tests.
    """
    return Machine(
        processor=_processor(root),
        cores=os.cpu_count() or 1,
        architecture=platform.machine(),
        system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        gpu=gpu_target() if gpu else "",
        versions=_versions(gpu),
    )


def runs_on_gpu(backend: str) -> bool:
    """Whether a backend runs an engine on a GPU."""
    return any(row.needs_engine for row in BACKENDS if row.name == backend)


def _processor(root: Path) -> str:
    board = read_text(root / "proc/device-tree/model")
    if board:
        return board.rstrip("\0")
    for line in (read_text(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _versions(gpu: bool) -> dict[str, str]:
    found = {name: _version(name) for name in _PACKAGES}
    if gpu:
        found |= {name: library_version(library.module) for name, library in LIBRARIES.items()}
    return {name: release for name, release in found.items() if release}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
