"""What lies beside an engine file: which library, GPU, network and options it was built for.

The engine itself holds no header of ours, so that NVIDIA's own tools load it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..documents import (
    RELATIVE_PATH,
    SHA256,
    TEXT,
    check_entries,
    having,
    list_of,
    map_of,
    number,
    one_of,
    read_document,
    whole,
)
from ..errors import EngineMismatch
from ..files import digest, read_file, why

SUFFIX = ".engine"
SIDECAR = ".json"
FOLDER = "engines"

LARGEST_ENGINE = 2 << 30
"""Bytes; an engine of a BS-Net in float32 takes 0.1 GB."""

_MATRIX_LAYER = having({"name": TEXT, "kind": TEXT, "precision": TEXT})

SCHEMA = having(
    {
        "file": RELATIVE_PATH,
        "sha256": SHA256,
        "backend": one_of("tensorrt", "tensorrt-rtx"),
        "version": TEXT,
        "targets": list_of(TEXT, 100),
        "precision": TEXT,
        "max_batch": whole(1, 65536),
        "model_sha256": SHA256,
        "options": {"type": "object"},
        "layers": map_of(whole(0, 1_000_000), 100),
        "layers_from": TEXT,
        "build_seconds": number(0),
    }
)
"""Of a record, in a manifest and in a sidecar, which also names the layers."""

SIDECAR_SCHEMA = {
    **SCHEMA,
    "properties": {**SCHEMA["properties"], "matrix_layers": list_of(_MATRIX_LAYER, 100_000)},
}


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
            An entry is missing or of a wrong kind: this version of brixia-edge did not build it.
        """
        advice = "build the engine again: brixia-edge export BUNDLE --engine ..."
        checked = check_entries(entries, SCHEMA, source, EngineMismatch, advice)
        known: dict[str, Any] = {entry.name: checked[entry.name] for entry in fields(cls)}
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
    if (actual := digest(read_engine(engine))) != record.sha256:
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
        There is none, or it is not one.
    """
    advice = (
        "an engine and its sidecar lie side by side, as `brixia-edge export BUNDLE --engine ...` "
        "writes them"
    )
    return read_document(engine.with_suffix(SIDECAR), SIDECAR_SCHEMA, EngineMismatch, advice)


def read_engine(path: Path) -> bytes:
    """Read an engine file.

    Raises
    ------
    EngineMismatch
        It cannot be read, is no regular file, or is longer than `LARGEST_ENGINE`.
    """
    try:
        return read_file(path, LARGEST_ENGINE)
    except OSError as error:
        raise EngineMismatch(
            f"{path} cannot be read ({why(error)}); an engine and its sidecar lie side by "
            "side, as `brixia-edge export BUNDLE --engine ...` writes them"
        ) from error
