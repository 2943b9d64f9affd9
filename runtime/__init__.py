"""The lean room: reads radiographs, prepares them, infers, scores and reports.

It imports none of the other rooms and nothing that a deployment does without
(onnx, h5py, tensorrt and pycuda stay out). The names that most callers need
are re-exported lazily, so that importing the package costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bundles.bundle import Bundle as Bundle
    from .errors import BrixiaEdgeError as BrixiaEdgeError
    from .radiograph import Radiograph as Radiograph
    from .reading.read import read_radiograph as read_radiograph
    from .scorer import Scorer as Scorer
    from .scores import BrixiaScore as BrixiaScore
    from .scores import Zone as Zone
    from .scores import ZoneScore as ZoneScore

_HOMES = {
    "BrixiaEdgeError": "errors",
    "BrixiaScore": "scores",
    "Bundle": "bundles.bundle",
    "Radiograph": "radiograph",
    "Scorer": "scorer",
    "Zone": "scores",
    "ZoneScore": "scores",
    "read_radiograph": "reading.read",
}

__all__ = [
    "BrixiaEdgeError",
    "BrixiaScore",
    "Bundle",
    "Radiograph",
    "Scorer",
    "Zone",
    "ZoneScore",
    "read_radiograph",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("brixia-edge")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
