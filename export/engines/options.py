"""What a build of engines may choose."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...runtime.errors import EngineBuildError

PRODUCTS = ("tensorrt", "tensorrt-rtx")
"""What engines are built with, by the backends that run them."""

_TARGET = re.compile(r"sm_\d{2,3}")


@dataclass(frozen=True)
class EngineOptions:
    """What a build of engines may choose.

    Attributes
    ----------
    products
        ``tensorrt``, ``tensorrt-rtx`` or both.
    targets
        Compute capabilities such as ``sm_86``; empty means the GPU of this machine.
    workspace
        MiB of scratch memory that a layer may use; None leaves the library's own limit.
    timing_cache
        A file of measured kernel times to read and to extend.
    optimization_level
        0 (fastest build) to 5 (fastest engine); None leaves the library's own.
    version_compatible
        Let later releases of the same major version load the engine, at some cost in speed.
    """

    products: tuple[str, ...]
    targets: tuple[str, ...] = ()
    workspace: int | None = None
    timing_cache: Path | None = None
    optimization_level: int | None = None
    version_compatible: bool = False

    def to_dict(self) -> dict[str, object]:
        """Those that decide what the engine is, as its sidecar keeps them."""
        return {
            "workspace_mib": self.workspace,
            "optimization_level": self.optimization_level,
            "version_compatible": self.version_compatible,
            "timing_cache": self.timing_cache is not None,
        }


def parse_targets(given: Iterable[str]) -> tuple[str, ...]:
    """Read targets such as ``sm_86`` or ``sm_75,sm_86``; each once, in the given order.

    Raises
    ------
    ValueError
        One is not of that form.
    """
    names = [name.strip().lower() for text in given for name in text.split(",") if name.strip()]
    if wrong := [name for name in names if not _TARGET.fullmatch(name)]:
        raise ValueError(f"target {wrong[0]!r} is not of the form sm_86 (compute capability 8.6)")
    return tuple(dict.fromkeys(names))


def refuse(product: str, option: str, reason: str) -> EngineBuildError:
    """The error for an option that a product does not have."""
    return EngineBuildError(f"--engine {product} does not take {option}: {reason}")
