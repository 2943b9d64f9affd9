"""What an engine file is and needs, against what this machine has: for `brixia-edge inspect`."""

from collections.abc import Iterator
from pathlib import Path

from ..backends.trt.engine import version_fits
from ..bundles.engine_file import SUFFIX, EngineRecord, read_record, read_sidecar
from ..results import RESEARCH_USE
from .machine_gpu import LIBRARIES, gpu_target, library_version


def is_engine(path: Path) -> bool:
    """Whether a path given to `inspect` names an engine rather than a bundle."""
    return path.suffix == SUFFIX


def engine_lines(path: Path) -> Iterator[str]:
    """Describe an engine, a line at a time.

    Raises
    ------
    EngineMismatch
        There is no engine or no sidecar, or they do not belong together.
    """
    record = read_record(path)
    yield f"{path}: matches its sidecar"
    for name, value in _entries(record, path).items():
        yield f"  {name:<16}{value}"
    yield "needs, and what is here"
    for need, here, fits in _needs(record):
        yield f"  {'ok' if fits else 'NO':<4}{need:<32}{here}"
    yield "convolutions and matrix products"
    for layer in read_sidecar(path).get("matrix_layers", ()):
        yield f"  {layer['precision']:<8}{layer['kind']:<16}{layer['name']}"
    yield RESEARCH_USE


def engine_entries(path: Path) -> dict[str, object]:
    """Describe an engine as JSON-ready entries: its sidecar, and what of its needs is met."""
    record = read_record(path)
    needs = [{"needs": need, "here": here, "fits": fits} for need, here, fits in _needs(record)]
    return {"engine": read_sidecar(path), "needs": needs, "notice": RESEARCH_USE}


def _entries(record: EngineRecord, path: Path) -> dict[str, str]:
    layers = ", ".join(f"{count} {name}" for name, count in record.layers.items())
    options = [f"{name} {value}" for name, value in record.options.items() if value]
    return {
        "precision": record.precision,
        "computes in": f"{layers} (by the {record.layers_from})",
        "largest batch": str(record.max_batch),
        "size": f"{path.stat().st_size / 1e6:.2f} MB",
        "built in": f"{record.build_seconds:.1f} s",
        "options": ", ".join(options) or "the library's own",
        "network sha256": record.model_sha256,
    }


def _needs(record: EngineRecord) -> Iterator[tuple[str, str, bool]]:
    library = LIBRARIES[record.backend]
    version, target = library_version(library.module), gpu_target()
    later = " or later" if record.version_compatible else ""
    yield (
        f"{record.backend} {record.version}{later}",
        version or f"not installed: {library.install}",
        bool(version) and version_fits(record, version),
    )
    yield f"GPU {', '.join(record.targets)}", target or "no GPU", target in record.targets
