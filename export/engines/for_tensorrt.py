"""TensorRT: builds on the machine whose GPU will run the engine."""

from typing import Any

from ...runtime.backends.trt.gpu import device_target
from ...runtime.bundles.engine_file import LARGEST_ENGINE
from ...runtime.errors import EngineBuildError, pip_line
from ...runtime.files import read_file, why, write_file
from .build import Product
from .offers import Offers
from .options import EngineOptions, refuse


def _configure(offers: Offers, config: Any, options: EngineOptions) -> tuple[str, ...]:
    target = device_target()
    if options.targets not in ((), (target,)):
        reason = f"it builds for the GPU of this machine alone, which is {target}"
        raise refuse(TENSORRT.backend, f"--target {','.join(options.targets)}", reason)
    if options.version_compatible:
        _set_version_compatible(offers, config)
    if options.timing_cache is not None:
        _load_timing_cache(config, options)
    return (target,)


def _set_version_compatible(offers: Offers, config: Any) -> None:
    if not offers.version_compatible:
        reason = f"TensorRT {offers.version} has no such engines; 8.6 is the first that has"
        raise refuse(TENSORRT.backend, "--version-compatible", reason)
    config.set_flag(offers.module.BuilderFlag.VERSION_COMPATIBLE)


def _load_timing_cache(config: Any, options: EngineOptions) -> None:
    path = options.timing_cache
    data = read_file(path, LARGEST_ENGINE) if path is not None and path.exists() else b""
    # Times of another GPU or release would choose the wrong kernels, so a mismatch is no match.
    if not config.set_timing_cache(config.create_timing_cache(data), False):
        raise EngineBuildError(
            f"timing cache {path} is of another TensorRT or GPU; give another file, which will "
            "be written"
        )


def _save_timing_cache(config: Any, options: EngineOptions) -> None:
    if options.timing_cache is None:
        return
    try:
        cache = bytes(config.get_timing_cache().serialize())
        write_file(options.timing_cache, cache, overwrite=True)
    except OSError as error:
        raise EngineBuildError(
            f"timing cache {options.timing_cache} cannot be written ({why(error)})"
        ) from error


TENSORRT = Product(
    backend="tensorrt",
    module="tensorrt",
    install=pip_line("tensorrt"),
    configure=_configure,
    finish=_save_timing_cache,
)
"""TensorRT, for Jetson and workstations."""
