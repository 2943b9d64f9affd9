"""A bundle: the network, how to prepare its input, and the proof of what it is.

A bundle is a directory with ``manifest.json``, ``model.onnx`` and whatever its
precision adds. It is written whole or not at all, and its hashes are checked
whenever it is opened.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, cast

from ..contract import OUTPUTS
from ..errors import BundleError
from ..files import digest, why
from ..preparation.preprocess import PreprocessSpec
from ..results import ModelIdentity

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


@dataclass(frozen=True)
class Bundle:
    """An opened, verified bundle."""

    root: Path
    manifest: Manifest

    @classmethod
    def open(cls, root: Path | None = None) -> "Bundle":
        """Open a bundle and check every file against the manifest.

        Parameters
        ----------
        root
            The bundle's directory; None opens the one that ships with the package.

        Raises
        ------
        BundleError
            The directory is no bundle, or a file is missing or altered; the message names it.
        """
        root = shipped_bundle() if root is None else root
        manifest = Manifest.from_json(_read_manifest(root))
        for name, expected in manifest.files.items():
            _check_file(root, name, expected)
        return cls(root, manifest)

    @property
    def model_path(self) -> Path:
        """The ONNX network."""
        return self.root / MODEL

    @property
    def paths(self) -> tuple[Path, ...]:
        """All its files, the manifest first."""
        return tuple(self.root / name for name in (MANIFEST, *self.manifest.files))

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, which holds those of all files; in hexadecimal."""
        return digest(self.manifest.to_json().encode())

    @property
    def identity(self) -> ModelIdentity:
        """The name, precision and weights digest that go with every score."""
        manifest = self.manifest
        return ModelIdentity(manifest.name, manifest.precision, manifest.weights_sha256)


def shipped_bundle() -> Path:
    """The directory of the bundle that ships with the package."""
    return Path(str(resources.files("brixia_edge.runtime.model")))


def write_bundle(
    target: Path, manifest: Manifest, files: Mapping[str, bytes], overwrite: bool = False
) -> Bundle:
    """Write a bundle so that it appears whole or not at all.

    Parameters
    ----------
    target
        The directory to create.
    manifest
        Its `files` are filled in here.
    files
        Contents by relative path.
    overwrite
        Replace an existing bundle; anything else that exists is never replaced.

    Raises
    ------
    BundleError
        The target exists and may not be replaced, or cannot be written.
    """
    check_target(target, overwrite)
    manifest = replace(manifest, files={name: digest(data) for name, data in files.items()})
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".bundle-", dir=target.parent) as workshop:
            staged = Path(workshop) / "bundle"
            _write_files(staged, {**files, MANIFEST: manifest.to_json().encode()})
            _put_in_place(staged, target, Path(workshop) / "replaced")
    except OSError as error:
        raise BundleError(f"bundle {target} cannot be written: {why(error)}") from error
    return Bundle(target, manifest)


def _put_in_place(staged: Path, target: Path, replaced: Path) -> None:
    """Move a finished bundle to its target; what stood there comes back if that fails."""
    if target.exists():
        target.rename(replaced)
    try:
        staged.rename(target)
    except OSError:
        if replaced.exists():
            replaced.rename(target)
        raise


def check_target(target: Path, overwrite: bool = False) -> None:
    """Refuse a target that may not be replaced, before work goes into what it is to hold.

    Raises
    ------
    BundleError
        It exists, and is no bundle or may not be overwritten.
    """
    if not target.exists():
        return
    replaceable = (target / MANIFEST).is_file() or (target.is_dir() and not any(target.iterdir()))
    if not (replaceable and (overwrite or not any(target.iterdir()))):
        hint = "give --overwrite to replace it" if replaceable else "it is no bundle"
        raise BundleError(f"{target} already exists ({hint}); choose another directory")


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    shutil.copymode(folder.parent.parent, folder)


def _read_manifest(root: Path) -> str:
    try:
        return (root / MANIFEST).read_text(encoding="utf-8")
    except OSError as error:
        raise BundleError(
            f"{root} is not a bundle: its {MANIFEST} cannot be read ({error.strerror}); "
            "give the directory that `brixia-edge export` wrote"
        ) from error
    except UnicodeDecodeError as error:
        raise BundleError(f"{root / MANIFEST} is not text; export the bundle again") from error


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


def _check_file(root: Path, name: str, expected: str) -> None:
    path = root / name
    if root.resolve() not in path.resolve().parents:
        raise BundleError(f"{MANIFEST} lists {name!r}, which lies outside the bundle")
    try:
        actual = digest(path.read_bytes())
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read ({error.strerror}); copy or export the bundle again"
        ) from error
    if actual != expected:
        raise BundleError(
            f"{path} was altered: its sha256 is {actual[:12]}..., the manifest says "
            f"{expected[:12]}...; copy or export the bundle again"
        )
