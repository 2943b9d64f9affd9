"""Weights become a bundle: build, rewrite, check, write."""

import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..runtime.bundles.bundle import Bundle
from ..runtime.bundles.manifest import MODEL, Manifest
from ..runtime.bundles.writing import check_target, write_bundle
from ..runtime.errors import WeightsError
from ..runtime.files import read_file
from .graph.graph import Graph, TensorType
from .graph.onnx_model import to_onnx
from .graph.storage import store_kernels_as_half
from .network.network import build_network
from .network.weights import WeightStore
from .options import ExportOptions
from .parity.parity import (
    TOLERANCE,
    Arrays,
    OutputParity,
    compare,
    load_golden,
    run_onnx,
    synthetic_radiographs,
    with_zone_logits,
)
from .rewrites import FLOAT_REWRITES, rewrite

PARITY = "parity.json"
MODEL_CARD = "MODEL_CARD.md"
_LARGEST_CARD = 1 << 20  # bytes
VARIANT = "BS-Net: ResNet-18 encoder, U-Net++ decoder, alignment, feature pyramid, six zone heads"
INTENDED_USE = "Research use only. Not for diagnosis, triage or any clinical use."


@dataclass(frozen=True)
class FloatNetwork:
    """The float32 network of some weights, which has proven its parity and is not yet written.

    Attributes
    ----------
    plain
        The network layer by layer, without one rewrite.
    model
        The ONNX file of the rewritten one.
    manifest
        What its bundle will say; the files are not in it yet.
    parity
        What was compared.
    """

    plain: Graph
    model: bytes
    manifest: Manifest
    parity: tuple[OutputParity, ...]


def export_bundle(weights: WeightStore, target: Path, options: ExportOptions) -> Bundle:
    """Export float32 weights as a bundle that has proven its parity.

    Raises
    ------
    WeightsError
        As `build_float`; nothing is written.
    BundleError
        The target exists or cannot be written.
    """
    check_target(target, options.overwrite)
    full = build_float(weights, options)
    files = {MODEL: full.model, PARITY: _parity_json(full.parity), **model_card(options)}
    return write_bundle(target, full.manifest, files, options.overwrite)


def build_float(weights: WeightStore, options: ExportOptions) -> FloatNetwork:
    """Build the float32 network and compare it with its references.

    Raises
    ------
    WeightsError
        It does not compute what its references do.
    """
    plain = build_network(weights)
    graph = rewrite(plain, FLOAT_REWRITES)
    if options.storage == "float16":
        graph = store_kernels_as_half(graph)
    model = to_onnx(graph).SerializeToString()
    parity = check_parity(model, plain, options)
    return FloatNetwork(plain, model, _manifest(graph, weights, options), tuple(parity))


def model_card(options: ExportOptions) -> dict[str, bytes]:
    """The bundle's model card, if one was given.

    Raises
    ------
    OSError
        It cannot be read, is no regular file, or is longer than `_LARGEST_CARD`.
    """
    if options.model_card is None:
        return {}
    return {MODEL_CARD: read_file(options.model_card, _LARGEST_CARD)}


def check_parity(model: bytes, plain: Graph, options: ExportOptions) -> list[OutputParity]:
    """Compare the model with the layer-by-layer network, and with the original where it is known.

    Raises
    ------
    WeightsError
        An output is further from the golden file, or (unless weights are stored as float16, which
        changes them) from the layer-by-layer network, than allowed; all such outputs are named.
    """
    images = synthetic_radiographs()
    reference = run_onnx(to_onnx(plain).SerializeToString(), images)
    # Storing float16 rounds the weights themselves, so its errors are told and not bounded.
    tolerance = TOLERANCE if options.storage == "float32" else None
    actual = run_onnx(model, images)
    comparisons = [compare(actual, reference, "layer-by-layer network", tolerance)]
    if options.golden is not None:
        comparisons.append(_compare_golden(model, options.golden, tolerance))
    _require_parity(comparisons)
    return comparisons


def _compare_golden(model: bytes, path: Path, tolerance: float | None) -> OutputParity:
    images: NDArray[np.float32]
    expected: Arrays
    images, expected = load_golden(path)
    actual = with_zone_logits(run_onnx(model, images))
    return compare(actual, expected, f"golden {path.name}", tolerance)


def _require_parity(comparisons: list[OutputParity]) -> None:
    failed = [
        f"{name} against the {comparison.reference}: {error.relative_l2:.2e}, "
        f"allowed {error.tolerance:.0e}"
        for comparison in comparisons
        for name, error in comparison.outputs.items()
        if not error.ok
    ]
    if failed:
        raise WeightsError(
            "the exported network does not compute what it should (relative L2 error): "
            + "; ".join(failed)
            + ". Check that the golden file belongs to these weights; nothing was written"
        )


def _parity_json(comparisons: Iterable[OutputParity]) -> bytes:
    entries = {"comparisons": [comparison.to_dict() for comparison in comparisons]}
    return (json.dumps(entries, indent=2) + "\n").encode()


def _manifest(graph: Graph, weights: WeightStore, options: ExportOptions) -> Manifest:
    return Manifest(
        name=options.name,
        licence=options.licence,
        intended_use=INTENDED_USE,
        variant=VARIANT,
        weights_sha256=weights.digest,
        precision="fp32",
        preprocess=options.preprocess,
        inputs=_describe(graph.inputs),
        outputs=_describe(graph.outputs),
        max_batch=options.max_batch,
        built_with=_versions(),
    )


def _describe(tensors: dict[str, TensorType]) -> dict[str, dict[str, object]]:
    return {
        name: {"dtype": kind.dtype, "shape": list(kind.shape)} for name, kind in tensors.items()
    }


def _versions() -> dict[str, str]:
    packages = ("brixia-edge", "onnx", "onnxruntime", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
