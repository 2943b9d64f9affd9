"""Which engines a bundle has, and giving it others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import EngineMismatch
from ..files import digest
from .bundle import Bundle
from .changes import change_files
from .engine_file import FOLDER, EngineRecord
from .manifest import MANIFEST, MODEL
from .writing import write_bundle


def bundle_engines(bundle: Bundle, backend: str | None = None) -> tuple[EngineRecord, ...]:
    """The engines of a bundle, or those for one backend.

    Raises
    ------
    EngineMismatch
        The manifest describes an engine incompletely, or does not list its file.
    """
    records = [
        EngineRecord.from_dict(entries, f"an engine in {bundle.root / MANIFEST}")
        for entries in bundle.manifest.engines
    ]
    for record in records:
        if record.file not in bundle.manifest.files:
            raise EngineMismatch(
                f"{bundle.root / MANIFEST} names the engine {record.file} and lists no such file; "
                "build the engine again: brixia-edge export BUNDLE --engine ..."
            )
    return tuple(record for record in records if backend in (None, record.backend))


def model_digest(bundle: Bundle) -> str:
    """SHA-256 of the bundle's ONNX file; an engine names the one it was built from."""
    return bundle.manifest.files[MODEL]


def add_engine(bundle: Bundle, record: EngineRecord, engine: bytes, sidecar: bytes) -> Bundle:
    """Put an engine into a bundle, in place of one for the same library and targets.

    Raises
    ------
    BundleError
        A file cannot be written; the bundle is as it was.
    """
    kept = [
        other
        for other in bundle_engines(bundle)
        if (other.backend, other.version, other.targets)
        != (record.backend, record.version, record.targets)
    ]
    added = {record.file: engine, record.sidecar: sidecar}
    return _replace_engines(bundle, [*kept, record], added)


def copy_bundle(bundle: Bundle, target: Path, overwrite: bool = False) -> Bundle:
    """Write the bundle's files to another directory.

    Raises
    ------
    BundleError
        The target exists and may not be replaced, or cannot be written.
    """
    files = {name: (bundle.root / name).read_bytes() for name in bundle.manifest.files}
    return write_bundle(target, bundle.manifest, files, overwrite)


def _replace_engines(
    bundle: Bundle, records: Sequence[EngineRecord], added: Mapping[str, bytes]
) -> Bundle:
    """Give the bundle other engines; files of those it loses are removed."""
    listed = {name for record in records for name in (record.file, record.sidecar)}
    dropped = {
        name
        for name in bundle.manifest.files
        if name.startswith(f"{FOLDER}/") and name not in listed
    }
    files = {name: sha for name, sha in bundle.manifest.files.items() if name not in dropped}
    files |= {name: digest(data) for name, data in added.items()}
    engines = tuple(record.to_dict() for record in records)
    manifest = replace(bundle.manifest, files=files, engines=engines)
    return change_files(bundle, manifest, added)
