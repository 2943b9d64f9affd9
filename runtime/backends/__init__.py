"""Backends: one table row each; a row that cannot load keeps its reason.

Importing this module imports no backend's library.
"""

import importlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BackendUnavailable

if TYPE_CHECKING:
    from ..bundle import Bundle
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
    """

    name: str
    module: str
    session: str
    packages: tuple[str, ...]
    install: str

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of its packages that are not installed here."""
        return tuple(name for name in self.packages if importlib.util.find_spec(name) is None)

    def open(self, bundle: "Bundle", threads: int | None = None) -> "Session":
        """Start a session.

        Raises
        ------
        BackendUnavailable
            A package is missing or cannot be loaded, or no device is found.
        """
        if self.missing:
            raise BackendUnavailable(
                f"backend {self.name!r} needs {', '.join(self.missing)}, which is not installed; "
                f"install it: {self.install}"
            )
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
        "openvino",
        "openvino_cpu",
        "OpenVinoSession",
        ("openvino",),
        "pip install 'brixia-edge[openvino]'",
    ),
    Backend(
        "onnxruntime",
        "onnxrt",
        "OnnxRuntimeSession",
        ("onnxruntime",),
        "pip install onnxruntime",
    ),
)
"""All backends, the one that `auto` prefers first."""


def backend_names() -> tuple[str, ...]:
    """The names that the command line takes."""
    return (AUTO, *(backend.name for backend in BACKENDS))


def open_session(bundle: "Bundle", name: str = AUTO, threads: int | None = None) -> "Session":
    """Start a session on the named backend, or on the first that is installed for `auto`.

    Raises
    ------
    BackendUnavailable
        No backend has that name, or it cannot run here.
    """
    if name == AUTO:
        return _first_installed().open(bundle, threads)
    for backend in BACKENDS:
        if backend.name == name:
            return backend.open(bundle, threads)
    raise BackendUnavailable(f"backend {name!r} does not exist; there are {backend_names()}")


def _first_installed() -> Backend:
    for backend in BACKENDS:
        if not backend.missing:
            return backend
    raise BackendUnavailable(f"no backend is installed; install one: {BACKENDS[-1].install}")
