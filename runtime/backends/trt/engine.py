"""Finding the engine of a bundle that fits this machine, and loading it."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

from ...bundles.bundle import Bundle
from ...bundles.engine_file import EngineRecord
from ...bundles.engines import bundle_engines, model_digest
from ...errors import BackendUnavailable, EngineMismatch


def choose_engine(bundle: Bundle, backend: str, version: str, target: str) -> EngineRecord:
    """The bundle's engine for this library, GPU and network.

    Parameters
    ----------
    bundle
        An opened bundle.
    backend
        ``tensorrt`` or ``tensorrt-rtx``.
    version
        The installed library's release.
    target
        This machine's compute capability, ``sm_86`` for 8.6.

    Raises
    ------
    EngineMismatch
        There is none; the message says what there is and what to run.
    """
    records = bundle_engines(bundle, backend)
    for record in records:
        if not _obstacles(record, bundle, version, target):
            return record
    raise EngineMismatch(
        f"bundle {bundle.root} has no {backend} engine for {backend} {version} on {target}"
        f"{_what_there_is(records, bundle, version, target)}; "
        f"build one: {build_line(bundle, backend, target)}"
    )


def build_line(bundle: Bundle, backend: str, target: str) -> str:
    """The command that builds the engine."""
    option = f" --target {target}" if backend == "tensorrt-rtx" else ""
    return f"brixia-edge export {bundle.root} --engine {backend}{option}"


def version_fits(record: EngineRecord, version: str) -> bool:
    """Whether a library of that release loads the engine."""
    if record.version == version:
        return True
    built, installed = _numbers(record.version), _numbers(version)
    return record.version_compatible and built[:1] == installed[:1] and built <= installed


def load_engine(trt: Any, record: EngineRecord, data: bytes) -> tuple[Any, Any]:
    """Deserialise an engine, a context being current.

    Returns
    -------
    The runtime, which must outlive the engine, and the engine.

    Raises
    ------
    EngineMismatch
        The library refuses it.
    """
    log = error_log(trt.__name__)
    runtime = trt.Runtime(log)
    if record.version_compatible:
        # Such an engine carries the code of its own release, which must be allowed to run.
        runtime.engine_host_code_allowed = True
    engine = runtime.deserialize_cuda_engine(data)
    if engine is None:
        # The error's traceback must not keep the runtime beyond its context.
        del runtime
        raise EngineMismatch(
            f"{record.backend} {trt.__version__} refuses {record.file} ({log.reason}); build it "
            f"again here: brixia-edge export BUNDLE --engine {record.backend}"
        )
    return runtime, engine


def import_library(module: str, install: str) -> Any:
    """Import a TensorRT module.

    Raises
    ------
    BackendUnavailable
        It is not installed, or its libraries cannot be loaded.
    """
    try:
        return import_module(module)
    except (ImportError, OSError) as error:
        raise BackendUnavailable(f"{module} cannot be loaded ({error}); {install}") from error


@cache
def error_log(module: str) -> Any:
    """The logger of a TensorRT module, which keeps its last errors for our own messages.

    There is one for each module: the library keeps the first one it is given.
    """
    trt: Any = import_module(module)

    class ErrorLog(trt.ILogger):
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: tuple[str, ...] = ()

        @property
        def reason(self) -> str:
            return "; ".join(self.errors) or "the library gave no reason"

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.ERROR:
                self.errors = (*self.errors[-1:], message.strip())

    return ErrorLog()


def _obstacles(record: EngineRecord, bundle: Bundle, version: str, target: str) -> tuple[str, ...]:
    faults = {
        f"was built with {record.version}": not version_fits(record, version),
        f"is for {', '.join(record.targets)}": target not in record.targets,
        "is of another network": record.model_sha256 != model_digest(bundle),
    }
    return tuple(fault for fault, found in faults.items() if found)


def _what_there_is(
    records: Iterable[EngineRecord], bundle: Bundle, version: str, target: str
) -> str:
    found = [
        f"{record.file} {' and '.join(_obstacles(record, bundle, version, target))}"
        for record in records
    ]
    return f" ({'; '.join(found)})" if found else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
