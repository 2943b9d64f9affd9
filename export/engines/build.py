"""The steps that all products share: parse, set a profile, build, look inside."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import onnx

from ...runtime.bundles.bundle import Bundle
from ...runtime.contract import IMAGE
from ...runtime.errors import BundleError, EngineBuildError
from ..graph.onnx_model import from_onnx, to_onnx
from ..precision.quantize import with_signed_activations
from .build_log import build_log
from .engine_layers import (
    EngineLayer,
    count_precisions,
    layers_from_inspector,
    layers_from_log,
)
from .offers import Offers
from .options import EngineOptions
from .precision_check import (
    asked_precisions,
    require_asked,
    require_built,
    require_linear_sampling,
)
from .progress import BuildProgress, attach, watch


@dataclass(frozen=True)
class Product:
    """What is a product's own in a build.

    Attributes
    ----------
    backend
        Its name on the command line.
    module
        What it is imported as.
    install
        The line that installs it.
    configure
        Sets a builder configuration from the options; returns the targets.
    adapt
        Makes of the bundle's ONNX file what this product can build.
    finish
        Called with the configuration after a build that went well.
    """

    backend: str
    module: str
    install: str
    configure: Callable[[Offers, Any, EngineOptions], tuple[str, ...]]
    adapt: Callable[[bytes, EngineOptions], bytes] = lambda model, options: model
    finish: Callable[[Any, EngineOptions], None] = lambda config, options: None


@dataclass(frozen=True)
class BuiltEngine:
    """An engine and what is known of it."""

    data: bytes
    version: str
    targets: tuple[str, ...]
    layers: tuple[EngineLayer, ...]
    layers_from: str
    seconds: float


def build_engine(
    product: Product,
    trt: Any,
    bundle: Bundle,
    options: EngineOptions,
    show: Callable[[float], object] = lambda fraction: None,
) -> BuiltEngine:
    """Build one engine from a bundle's network and check its precision.

    Parameters
    ----------
    product
        TensorRT or TensorRT-RTX.
    trt
        The product's module.
    bundle
        An opened bundle of any precision.
    options
        What the build may choose.
    show
        Is told the fraction done, 0 to 1, some times a second.

    Raises
    ------
    BundleError
        The network cannot be parsed (the node is named), or is not of the manifest's precision.
    BackendUnavailable
        There is no GPU to build for.
    EngineBuildError
        The library cannot build here, has not the options, or fails.
    EngineMismatch
        The engine does not compute in the precision asked for.
    """
    started, offers, log = perf_counter(), Offers(trt), build_log(product.module)
    log.begin()
    builder = _builder(product, offers, log)
    network = builder.create_network(offers.network_flags())
    model = signed_model(bundle.model.read_bytes())
    parse(trt, network, product.adapt(model, options), log)
    config = builder.create_builder_config()
    targets = _configure(product, offers, builder, config, bundle, options)
    require_linear_sampling(trt, network)
    asked = asked_precisions(trt, network)
    require_asked(bundle.manifest.precision, asked)
    plan = _serialize(product, offers, builder, network, config, log, show)
    layers, source = read_layers(trt, plan, log)
    require_built(bundle.manifest.precision, asked, count_precisions(layers))
    product.finish(config, options)
    seconds = round(perf_counter() - started, 2)
    return BuiltEngine(bytes(plan), offers.version, targets, layers, source, seconds)


def signed_model(model: bytes) -> bytes:
    """The form of a bundle's model that is for TensorRT: its quantized activations are int8.

    CPUs multiply uint8 by int8 fastest, and such are a bundle's own; TensorRT knows int8 alone.
    """
    graph = from_onnx(onnx.ModelProto.FromString(model))
    if not any(value.dtype == np.uint8 for value in graph.constants.values()):
        return model
    return to_onnx(with_signed_activations(graph)).SerializeToString()


def parse(trt: Any, network: Any, model: bytes, log: Any) -> None:
    """Read an ONNX model into a network.

    Raises
    ------
    BundleError
        The parser refuses it; the message names the nodes.
    """
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model):
        errors = [parser.get_error(index) for index in range(parser.num_errors)]
        reasons = "; ".join(_describe(error, model) for error in errors)
        raise BundleError(
            f"{trt.__name__} {trt.__version__} cannot read the bundle's model.onnx: {reasons}"
        )


def read_layers(trt: Any, plan: Any, log: Any) -> tuple[tuple[EngineLayer, ...], str]:
    """The engine's layers, and where they are known from.

    Returns
    -------
    The layers, and ``inspector`` or ``build log``: without its GPU an engine cannot be loaded to
    be inspected, and the builder's own list of the same layers takes its place.
    """
    listed, runtime = log.layers, trt.Runtime(log)
    engine = runtime and runtime.deserialize_cuda_engine(plan)
    if engine is None:
        return layers_from_log(listed), "build log"
    inspector = engine.create_engine_inspector()
    text = inspector.get_engine_information(trt.LayerInformationFormat.JSON)
    return layers_from_inspector(text), "inspector"


def _builder(product: Product, offers: Offers, log: Any) -> Any:
    try:
        builder = offers.module.Builder(log)
    except Exception as error:  # the bindings raise their own types for a library that fails
        raise _cannot_start(product, str(error)) from error
    if builder is None:
        raise _cannot_start(product, "; ".join(log.errors))
    return builder


def _cannot_start(product: Product, reason: str) -> EngineBuildError:
    return EngineBuildError(
        f"{product.backend} cannot build here ({reason}); it builds on the machine with the GPU. "
        "Without one, build for a GPU: --engine tensorrt-rtx --target sm_86"
    )


def _configure(  # noqa: PLR0913, PLR0917 - the parts that a build is put together from
    product: Product,
    offers: Offers,
    builder: Any,
    config: Any,
    bundle: Bundle,
    options: EngineOptions,
) -> tuple[str, ...]:
    trt = offers.module
    # Without it the inspector tells names and no precisions.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    for flag in offers.precision_flags(bundle.manifest.precision):
        config.set_flag(flag)
    if options.workspace is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace << 20)
    if options.optimization_level is not None:
        config.builder_optimization_level = options.optimization_level
    config.add_optimization_profile(_profile(builder, bundle))
    return product.configure(offers, config, options)


def _profile(builder: Any, bundle: Bundle) -> Any:
    """Any batch up to the bundle's largest; tuned for one image, the case at the bedside."""
    size = bundle.manifest.preprocess.size
    profile = builder.create_optimization_profile()
    batches = (1, 1, bundle.manifest.max_batch)
    profile.set_shape(IMAGE, *((batch, 1, size, size) for batch in batches))
    return profile


def _serialize(  # noqa: PLR0913, PLR0917 - the parts that a build is put together from
    product: Product,
    offers: Offers,
    builder: Any,
    network: Any,
    config: Any,
    log: Any,
    show: Callable[[float], object],
) -> Any:
    progress = BuildProgress()
    if offers.progress:
        attach(offers.module, config, progress)
    plan = watch(lambda: builder.build_serialized_network(network, config), progress, show)
    if plan is None:
        reason = "; ".join(log.errors[-2:]) or "the library gave no reason"
        raise EngineBuildError(f"{product.backend} {offers.version} cannot build this: {reason}")
    return plan


def _describe(error: Any, model: bytes) -> str:
    # TensorRT 8.5 tells a node's index alone.
    name = error.node_name() if hasattr(error, "node_name") else _node_name(error.node(), model)
    return f"node {name!r}: {error.desc()}"


def _node_name(index: int, model: bytes) -> str:
    nodes = onnx.ModelProto.FromString(model).graph.node
    return nodes[index].name if 0 <= index < len(nodes) else f"number {index}"
