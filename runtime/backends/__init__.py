"""Backends: one table row each; a row that cannot load keeps its reason.

Importing this module imports no backend's library.
"""

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BackendUnavailable, CannotRun, MissingExtra, pip_line
from ..plain_text import printable_lines

if TYPE_CHECKING:
    from ..bundles.bundle import Bundle
    from .base import Session

AUTO = "auto"


@dataclass(frozen=True)
class Backend:
    """One row of the table.

    Attributes
    ----------
    name
        As on the command line.
    module, session
        Where its `Session` is defined.
    packages
        What it imports; all must be installed.
    install
        The line that installs them.
    needs_engine
        Whether it runs an engine from the bundle; without one it is no choice for ``auto``.
    """

    name: str
    module: str
    session: str
    packages: tuple[str, ...]
    install: str
    needs_engine: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of its packages that are not installed here."""
        return tuple(name for name in self.packages if importlib.util.find_spec(name) is None)

    def open(self, bundle: "Bundle", threads: int | None = None) -> "Session":
        """Start a session.

        Raises
        ------
        MissingExtra
            A package is not installed.
        BackendUnavailable
            A package cannot be loaded, or no device is found.
        EngineMismatch
            No engine of the bundle is for this machine.
        """
        if self.missing:
            missing = ", ".join(self.missing)
            raise MissingExtra.of(f"backend {self.name!r}", missing, self.install)
        try:
            module = importlib.import_module(f".{self.module}", __name__)
        except (ImportError, OSError) as error:
            raise BackendUnavailable(
                f"backend {self.name!r} is installed but cannot be loaded ({error}); "
                f"reinstall it: {self.install}"
            ) from error
        return getattr(module, self.session)(bundle, threads)


BACKENDS: tuple[Backend, ...] = (
    Backend(
        "tensorrt",
        "trt.session",
        "TensorRtSession",
        ("tensorrt",),
        f"{pip_line('tensorrt')} (on a Jetson: the system's TensorRT, see docs/jetson.md)",
        needs_engine=True,
    ),
    Backend(
        "tensorrt-rtx",
        "trt.rtx",
        "TensorRtRtxSession",
        ("tensorrt_rtx",),
        pip_line("tensorrt-rtx"),
        needs_engine=True,
    ),
    Backend(
        "openvino",
        "openvino_cpu",
        "OpenVinoSession",
        ("openvino",),
        pip_line("openvino"),
    ),
    Backend(
        "onnxruntime",
        "onnxrt",
        "OnnxRuntimeSession",
        ("onnxruntime",),
        "pip install onnxruntime",
    ),
)
"""All backends, the one that ``auto`` prefers first."""


def backend_names() -> tuple[str, ...]:
    """The names that the command line takes."""
    return (AUTO, *(backend.name for backend in BACKENDS))


def open_session(bundle: "Bundle", name: str = AUTO, threads: int | None = None) -> "Session":
    """Start a session on the named backend, or on the first that works for ``auto``.

    Only ``auto`` goes on to another backend when one fails, and says so on standard error.

    Raises
    ------
    BackendUnavailable
        No backend has that name, or it cannot run here.
    MissingExtra
        Its library is not installed.
    EngineMismatch
        The named backend's engine does not fit.
    """
    if name == AUTO:
        return _open_first(bundle, threads)
    for backend in BACKENDS:
        if backend.name == name:
            return backend.open(bundle, threads)
    raise BackendUnavailable(f"backend {name!r} does not exist; there are {backend_names()}")


def _open_first(bundle: "Bundle", threads: int | None) -> "Session":
    choices = [backend for backend in BACKENDS if not backend.missing and _has(bundle, backend)]
    if not choices:
        last = BACKENDS[-1]
        raise MissingExtra.of("scoring", last.name, last.install)
    *preferred, last = choices
    for backend in preferred:
        try:
            return backend.open(bundle, threads)
        except CannotRun as error:
            sys.stderr.write(printable_lines(f"backend {backend.name} is left out: {error}\n"))
    return last.open(bundle, threads)


def _has(bundle: "Bundle", backend: Backend) -> bool:
    """Whether the bundle holds what the backend runs."""
    engines = bundle.manifest.engines
    return not backend.needs_engine or any(
        entries.get("backend") == backend.name for entries in engines
    )
