"""What lies beside an engine file: which library, GPU, network and options it was built for.

The engine itself holds no header of ours, so that NVIDIA's own tools load it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from ..errors import EngineMismatch
from ..files import digest

SUFFIX = ".engine"
SIDECAR = ".json"
FOLDER = "engines"


@dataclass(frozen=True)
class EngineRecord:
    """An engine as its sidecar and the bundle's manifest describe it.

    Attributes
    ----------
    file
        Path within the bundle.
    sha256
        Digest of the engine file.
    backend
        ``tensorrt`` or ``tensorrt-rtx``.
    version
        The library's release, as it calls itself.
    targets
        Compute capabilities, ``sm_86`` for 8.6.
    precision
        The bundle's: ``fp32``, ``fp16`` or ``int8``.
    max_batch
        The largest batch of its profile.
    model_sha256
        Digest of the ONNX file it was built from.
    options
        What the build was asked for.
    layers
        Convolutions and matrix products by precision, as they are in the engine.
    layers_from
        ``inspector``, or ``build log`` where no GPU could load the engine.
    build_seconds
        Wall-clock time of the build.
    """

    file: str
    sha256: str
    backend: str
    version: str
    targets: tuple[str, ...]
    precision: str
    max_batch: int
    model_sha256: str
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    layers: Mapping[str, int] = field(default_factory=dict[str, int])
    layers_from: str = ""
    build_seconds: float = 0.0

    @property
    def sidecar(self) -> str:
        """Path of its sidecar within the bundle."""
        return self.file.removesuffix(SUFFIX) + SIDECAR

    @property
    def version_compatible(self) -> bool:
        """Whether later releases of the same major version may load it."""
        return bool(self.options.get("version_compatible"))

    def to_dict(self) -> dict[str, object]:
        """As it stands in the manifest and, with the layers' names, in the sidecar."""
        return {**asdict(self), "targets": list(self.targets)}

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any], source: str) -> "EngineRecord":
        """Read a record; entries it does not know are left alone.

        Raises
        ------
        EngineMismatch
            An entry is missing: the engine was not built by this version of brixia-edge.
        """
        names = [entry.name for entry in fields(cls)]
        if missing := [name for name in names if name not in entries]:
            raise EngineMismatch(
                f"{source} lacks {', '.join(missing)}; build the engine again: "
                "brixia-edge export BUNDLE --engine ..."
            )
        known: dict[str, Any] = {name: entries[name] for name in names}
        known["targets"] = tuple(known["targets"])
        return cls(**known)


def read_record(engine: Path) -> EngineRecord:
    """Read an engine's sidecar and check that it belongs to the engine file.

    Raises
    ------
    EngineMismatch
        There is no engine or no sidecar, or the engine was altered.
    """
    entries = read_sidecar(engine)
    record = EngineRecord.from_dict(entries, str(engine.with_suffix(SIDECAR)))
    if (actual := digest(_read(engine))) != record.sha256:
        raise EngineMismatch(
            f"{engine} was altered: its sha256 is {actual[:12]}..., its sidecar says "
            f"{record.sha256[:12]}...; build it again: brixia-edge export BUNDLE --engine "
            f"{record.backend}"
        )
    return record


def read_sidecar(engine: Path) -> dict[str, Any]:
    """All entries of an engine's sidecar.

    Raises
    ------
    EngineMismatch
        There is none, or it is not JSON.
    """
    path = engine.with_suffix(SIDECAR)
    try:
        entries: object = json.loads(_read(path))
    except ValueError as error:
        raise EngineMismatch(f"{path} is not JSON; build the engine again") from error
    if not isinstance(entries, dict):
        raise EngineMismatch(f"{path} holds no object; build the engine again")
    return cast(dict[str, Any], entries)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EngineMismatch(
            f"{path} cannot be read ({error.strerror}); an engine and its sidecar lie side by "
            "side, as `brixia-edge export BUNDLE --engine ...` writes them"
        ) from error
