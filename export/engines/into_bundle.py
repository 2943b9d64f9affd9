"""Engines go into a bundle: built, checked, described, and listed in its manifest."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...runtime.bundles.bundle import Bundle
from ...runtime.bundles.engine_file import FOLDER, SUFFIX, EngineRecord
from ...runtime.bundles.engines import add_engine, model_digest
from ...runtime.errors import BackendUnavailable, MissingExtra
from ...runtime.files import digest
from .build import BuiltEngine, Product, build_engine
from .engine_layers import count_precisions
from .for_rtx import RTX
from .for_tensorrt import TENSORRT
from .options import EngineOptions

_PRODUCTS = {product.backend: product for product in (TENSORRT, RTX)}


def export_engines(
    bundle: Bundle, options: EngineOptions, show: Callable[[float], object] = lambda fraction: None
) -> tuple[Bundle, tuple[EngineRecord, ...]]:
    """Build an engine with each product asked for and put it into the bundle.

    Parameters
    ----------
    bundle
        An opened bundle; its manifest is replaced once for each engine.
    options
        What the builds may choose.
    show
        Is told the fraction of a build that is done, 0 to 1.

    Returns
    -------
    The bundle with its engines, and the records of the new ones.

    Raises
    ------
    MissingExtra, BackendUnavailable, EngineBuildError, BundleError, EngineMismatch
        See `build_engine` and `add_engine`; engines finished before stay in the bundle.
    """
    records: list[EngineRecord] = []
    for name in options.products:
        product = _PRODUCTS[name]
        built = build_engine(product, _library(product), bundle, options, show)
        record = _record(product, built, bundle, options)
        bundle = add_engine(bundle, record, built.data, _sidecar(record, built))
        records.append(record)
    return bundle, tuple(records)


def _library(product: Product) -> Any:
    try:
        return import_module(product.module)
    except ModuleNotFoundError as error:
        what = f"--engine {product.backend}"
        raise MissingExtra.of(what, str(error.name), product.install) from error
    except (ImportError, OSError) as error:
        raise BackendUnavailable(
            f"{product.module} is installed but cannot be loaded ({error}); "
            f"reinstall it: {product.install}"
        ) from error


def _record(
    product: Product, built: BuiltEngine, bundle: Bundle, options: EngineOptions
) -> EngineRecord:
    sha256, precision = digest(built.data), bundle.manifest.precision
    parts = (product.backend, built.version, *built.targets, precision, sha256[:8])
    return EngineRecord(
        # The digest in the name lets a new engine lie beside the one it replaces.
        file=f"{FOLDER}/{'-'.join(parts)}{SUFFIX}",
        sha256=sha256,
        backend=product.backend,
        version=built.version,
        targets=built.targets,
        precision=precision,
        max_batch=bundle.manifest.max_batch,
        model_sha256=model_digest(bundle),
        options=options.to_dict(),
        layers=count_precisions(built.layers),
        layers_from=built.layers_from,
        build_seconds=built.seconds,
    )


def _sidecar(record: EngineRecord, built: BuiltEngine) -> bytes:
    layers = [layer.to_dict() for layer in built.layers if layer.is_matrix]
    return (json.dumps(record.to_dict() | {"matrix_layers": layers}, indent=2) + "\n").encode()
