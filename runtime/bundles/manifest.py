"""A bundle's manifest, ``manifest.json``: what it says of itself, and its files' digests."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, cast

from ..contract import OUTPUTS
from ..errors import BundleError
from ..preparation.preprocess import PreprocessSpec

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
MODEL = "model.onnx"
PRECISIONS = ("fp32", "fp16", "int8")

_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("name", "licence", "intended_use", "variant", "weights_sha256"), str),
    **dict.fromkeys(("preprocess", "inputs", "outputs", "built_with", "files"), dict),
    "max_batch": int,
    "engines": list,
}


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes
    ----------
    name, licence, intended_use
        For people; the intended use is research.
    variant
        The network's architecture.
    weights_sha256
        Digest of the weights the bundle was exported from (names, shapes and float32 values).
    precision
        ``fp32``, ``fp16`` or ``int8``.
    preprocess
        How a radiograph becomes the network's input.
    inputs, outputs
        Tensor names with dtype and shape.
    max_batch
        The largest batch that engines are built for.
    built_with
        Versions of what built the bundle.
    files
        SHA-256 of every other file of the bundle, by relative path.
    engines
        TensorRT engines in the bundle, as their sidecars describe them.
    """

    name: str
    licence: str
    intended_use: str
    variant: str
    weights_sha256: str
    precision: str
    preprocess: PreprocessSpec
    inputs: Mapping[str, Mapping[str, object]]
    outputs: Mapping[str, Mapping[str, object]]
    max_batch: int
    built_with: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    engines: tuple[Mapping[str, object], ...] = ()
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """Write the manifest as readable JSON."""
        return json.dumps(asdict(self) | {"preprocess": self.preprocess.to_dict()}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read a manifest.

        Raises
        ------
        BundleError
            It is not JSON, of another schema, or an entry is missing, unknown or not allowed.
        """
        entries = _parse_entries(text)
        if entries.get("schema_version") != SCHEMA_VERSION:
            raise BundleError(
                f"{MANIFEST} has schema_version {entries.get('schema_version')!r}; this "
                f"brixia-edge reads {SCHEMA_VERSION}: export the bundle again, or update it"
            )
        _check_entries(entries)
        spec = PreprocessSpec.from_dict(entries["preprocess"])
        entries |= {"preprocess": spec, "engines": tuple(entries["engines"])}
        return cls(**entries)


def _parse_entries(text: str) -> dict[str, Any]:
    try:
        entries: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise BundleError(
            f"{MANIFEST} is not JSON (line {error.lineno}); copy or export the bundle again"
        ) from error
    except RecursionError:
        raise BundleError(f"{MANIFEST} is nested too deep; export the bundle again") from None
    if not isinstance(entries, dict):
        raise BundleError(f"{MANIFEST} holds a {type(entries).__name__}; it must be an object")
    return cast(dict[str, Any], entries)


def _check_entries(entries: Mapping[str, Any]) -> None:
    expected = {entry.name for entry in fields(Manifest)}
    if missing := sorted(expected - entries.keys()):
        raise BundleError(f"{MANIFEST} lacks {', '.join(missing)}; export the bundle again")
    if surplus := sorted(entries.keys() - expected):
        raise BundleError(
            f"{MANIFEST} has unknown entries {', '.join(surplus)}; export the bundle again, "
            "or update brixia-edge"
        )
    _check_kinds(entries)
    if entries["precision"] not in PRECISIONS:
        raise BundleError(
            f"{MANIFEST} has precision {entries['precision']!r}; "
            f"allowed are {', '.join(PRECISIONS)}"
        )
    if MODEL not in entries["files"]:
        raise BundleError(f"{MANIFEST} lists no {MODEL}; export the bundle again")


def _check_kinds(entries: Mapping[str, Any]) -> None:
    wrong = [name for name, kind in _KINDS.items() if type(entries[name]) is not kind]
    tensors = [
        name
        for group in ("inputs", "outputs")
        if group not in wrong
        for name, tensor in entries[group].items()
        if not isinstance(tensor, dict) or tensor.keys() != {"dtype", "shape"}
    ]
    if wrong or tensors:
        raise BundleError(
            f"{MANIFEST} has values of a wrong kind for {', '.join((*wrong, *tensors))}; "
            "copy or export the bundle again"
        )
    if lacking := [name for name in OUTPUTS if name not in entries["outputs"]]:
        raise BundleError(f"{MANIFEST} lacks the outputs {', '.join(lacking)}; export it again")
