"""What this machine can run and what it lacks: for `brixia-edge doctor`."""

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..backends import BACKENDS
from ..bundles.bundle import Bundle, shipped_bundle, shipped_light_bundle
from ..errors import BrixiaEdgeError
from .machine_gpu import examine_gpu

CPU_FEATURES = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm")
"""Instruction sets that decide the speed of float32 and INT8, as the kernel names them."""


@dataclass(frozen=True)
class Examination:
    """One thing that was looked at: what it is, and whether it stands in the way.

    What is not required may be absent: then `ok` is False, and nothing is wrong.
    """

    subject: str
    ok: bool
    detail: str
    required: bool = True

    @property
    def verdict(self) -> str:
        """``ok``, ``MISSING``, or ``-`` for what is absent but not required."""
        absent = "MISSING" if self.required else "-"
        return "ok" if self.ok else absent


def examine() -> Iterator[Examination]:
    """Look at the machine, the packages, the backends and the shipped bundle."""
    yield _python()
    yield _processor()
    yield _memory()
    yield _graphics()
    for package in ("numpy", "opencv-python-headless", "pydicom", "onnxruntime"):
        yield _package(package)
    yield from _decoders()
    yield from _tensorrt()
    yield from _backends()
    yield _bundle("shipped bundle", shipped_bundle)
    yield _bundle("shipped light bundle", shipped_light_bundle, required=False)


def _python() -> Examination:
    return Examination("python", True, f"{platform.python_version()} on {platform.platform()}")


def _processor() -> Examination:
    flags = _cpu_flags()
    features = [feature for feature in CPU_FEATURES if feature in flags]
    listed = ", ".join(features) or "no known instruction set extension"
    return Examination("processor", True, f"{platform.machine()}, {os.cpu_count()} cores, {listed}")


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return set()
    lines = (line.partition(":") for line in text.splitlines())
    return {
        flag
        for key, _, value in lines
        if key.strip() in ("flags", "Features")
        for flag in value.split()
    }


def _memory() -> Examination:
    needed = 1.0
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, OSError, ValueError):
        return Examination("memory", True, "its size cannot be read here")
    return Examination(
        "memory", total > needed, f"{total:.1f} GB; scoring needs about {needed:.0f} GB"
    )


def _graphics() -> Examination:
    jetson = Path("/etc/nv_tegra_release")
    if jetson.exists():
        release = jetson.read_text(encoding="utf-8").splitlines()[0]
        return Examination("graphics", True, f"Jetson, {release.lstrip('# ')}")
    if Path("/proc/driver/nvidia/version").exists():
        return Examination("graphics", True, "an NVIDIA driver is loaded")
    return Examination("graphics", True, "no NVIDIA GPU; scoring runs on the CPU")


def _package(name: str) -> Examination:
    try:
        return Examination(name, True, version(name))
    except PackageNotFoundError:
        return Examination(name, False, f"missing: pip install {name}")


def _decoders() -> Iterator[Examination]:
    """Which compressed transfer syntaxes can be read, by the plugin that decodes them."""
    plugins = {
        "pylibjpeg-libjpeg": "JPEG and JPEG-LS",
        "pylibjpeg-openjpeg": "JPEG 2000",
        "pylibjpeg-rle": "RLE",
    }
    for package, syntaxes in plugins.items():
        found = _package(package)
        yield Examination(f"decoder {syntaxes}", found.ok, f"{package} {found.detail}")


def _tensorrt() -> Iterator[Examination]:
    """The GPU and what it takes to use it; none of it is required."""
    for part in examine_gpu():
        yield Examination(part.subject, part.here, part.detail, required=False)


def _backends() -> Iterator[Examination]:
    """Every backend; at least the one of the plain installation is required."""
    for backend in BACKENDS:
        required = backend is BACKENDS[-1]
        if backend.missing:
            detail = f"needs {', '.join(backend.missing)}: {backend.install}"
            yield Examination(f"backend {backend.name}", False, detail, required)
        elif backend.needs_engine:
            detail = "installed; runs on a GPU, with an engine: brixia-edge export BUNDLE --engine"
            yield Examination(f"backend {backend.name}", True, f"{detail} {backend.name}")
        else:
            yield Examination(f"backend {backend.name}", True, "ready")


def _bundle(subject: str, where: Callable[[], Path], required: bool = True) -> Examination:
    try:
        identity = Bundle.open(where()).identity
    except BrixiaEdgeError as error:
        return Examination(subject, False, str(error), required)
    return Examination(subject, True, f"{identity.name}, {identity.kind}, verified", required)
