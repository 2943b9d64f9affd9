"""TensorRT-RTX: builds on any machine, for the targets it is given."""

from typing import Any

from ...runtime.errors import EngineBuildError, pip_line
from .build import Product
from .offers import Offers
from .options import EngineOptions, refuse
from .turing import TURING, without_matrix_products


def _configure(offers: Offers, config: Any, options: EngineOptions) -> tuple[str, ...]:
    if options.timing_cache is not None:
        raise refuse(RTX.backend, "--timing-cache", "it measures nothing while it builds")
    if options.version_compatible:
        raise refuse(RTX.backend, "--version-compatible", "its engines are tied to its release")
    targets = _check_targets(offers, options.targets)
    capability = offers.module.ComputeCapability
    config.num_compute_capabilities = len(targets)
    for index, target in enumerate(targets):
        config.set_compute_capability(getattr(capability, f"SM{target[3:]}"), index)
    return targets


def _adapt(model: bytes, options: EngineOptions) -> bytes:
    return without_matrix_products(model) if TURING in options.targets else model


def _check_targets(offers: Offers, targets: tuple[str, ...]) -> tuple[str, ...]:
    allowed = ", ".join(offers.targets)
    if not targets:
        raise EngineBuildError(
            f"--engine {RTX.backend} needs --target, the GPUs to build for; there are {allowed}"
        )
    if unknown := [target for target in targets if target not in offers.targets]:
        raise EngineBuildError(
            f"TensorRT-RTX {offers.version} cannot build for {unknown[0]}; there are {allowed}. "
            "Jetson Orin (sm_87) needs --engine tensorrt on the device itself"
        )
    return targets


RTX = Product(
    backend="tensorrt-rtx",
    module="tensorrt_rtx",
    install=pip_line("tensorrt-rtx"),
    configure=_configure,
    adapt=_adapt,
)
"""TensorRT-RTX, for GeForce and RTX workstation GPUs."""
