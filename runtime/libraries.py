"""Other people's libraries, imported so that they report nothing and write nothing elsewhere.

What they would do of their own accord, on a hospital's network an incident:

``onnxruntime``
    From 1.32 on its wheels look up ``mobile.events.data.microsoft.com`` and send the device's
    identifier, the interpreter's path, the graph's name and the texts of errors; until they can,
    these wait in ``~/.cache/Microsoft``. A session file stays in the temporary folder. All of it
    begins with the import, so it is turned off before; later is too late.
``openvino``, ``nncf``
    Report imports and conversions to Intel's account at Google Analytics, through the package
    ``openvino_telemetry``; they work as well without it.
``matplotlib``
    Sends nothing, but makes folders for its settings and its list of fonts in the home folder.

They are imported through here and nowhere else; a test sees to it.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, cast

_REPORTER = "openvino_telemetry"

_SILENT = {"onnxruntime": {"ORT_DISABLE_TELEMETRY": "1"}, "nncf": {"NNCF_CI": "1"}}
"""What turns reporting off, by library; the processes that this one starts have it, too."""


def import_library(name: str) -> Any:
    """Import a library or a part of it, as ``onnxruntime.quantization``.

    Raises
    ------
    ImportError
        It is not installed, or cannot be loaded.
    """
    library = name.partition(".")[0]
    os.environ.update(_SILENT.get(library, {}))
    if library == "matplotlib":
        # Where a user has told it a folder it keeps to that.
        os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / library))
    with _absent(_REPORTER):
        return import_module(name)


def cache_folder() -> Path:
    """Where all lies that is kept between runs: in the XDG cache folder of the user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "brixia-edge"


@contextmanager
def _absent(package: str) -> Generator[None]:
    """Let a package pass for one that is not installed."""
    before = sys.modules.get(package)
    sys.modules[package] = cast(Any, None)
    try:
        yield
    finally:
        del sys.modules[package]
        if before is not None:
            sys.modules[package] = before
