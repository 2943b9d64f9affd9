"""FP16 and INT8 bundles: calibrated, measured in scores, and written with the proof."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ...calibration.calibrate import choose_from, measure
from ...calibration.choosing.survey import Survey, survey
from ...calibration.ranges.table import CALIBRATION, CalibrationTable
from ...calibration.reference_histograms import reference_of
from ...runtime.bundles.bundle import Bundle
from ...runtime.bundles.manifest import MODEL
from ...runtime.bundles.writing import check_target, write_bundle
from ...runtime.errors import CalibrationError
from ...runtime.progress import Progress, unchanged
from ...runtime.quality.drift import FEWEST_IMAGES
from ...runtime.quality.reference_histograms import REFERENCE
from ...runtime.sources.isolated import open_source
from ..exporter import (
    PARITY,
    FloatNetwork,
    build_float,
    export_bundle,
    model_card,
)
from ..graph.graph import Graph
from ..graph.onnx_model import to_onnx
from ..graph.storage import store_kernels_as_half
from ..network.weights import WeightStore
from ..options import ExportOptions
from ..parity.measured import (
    MeasuredReference,
    measure_scores,
    median_milliseconds,
    prepare_images,
)
from ..parity.parity import compare, run_onnx
from ..parity.score_parity import ScoreBound, ScoreParity
from ..rewrites import QUANTIZED_REWRITES, rewrite
from .accuracy import Quantized, quantize_within
from .evidence import Evidence
from .half import kept_in_float, to_half
from .quantize import quantizable, with_signed_numbers

_COMPARED_IMAGES = 4
"""Per-output errors are measured on so many images; scores on all."""


def export_with_evidence(
    weights: WeightStore,
    target: Path,
    options: ExportOptions,
    evidence: Evidence | None,
    progress: Progress = unchanged,
) -> Bundle:
    """Export a bundle of any precision; only float32 does without evidence.

    Raises
    ------
    CalibrationError, WeightsError, BundleError
        As `export_bundle` and `export_lower_precision`; nothing is written.
    """
    if evidence is None:
        return export_bundle(weights, target, options)
    return export_lower_precision(weights, target, options, evidence, progress)


def export_lower_precision(
    weights: WeightStore,
    target: Path,
    options: ExportOptions,
    evidence: Evidence,
    progress: Progress = unchanged,
) -> Bundle:
    """Export an ``fp16`` or ``int8`` bundle with what it costs in scores.

    Raises
    ------
    CalibrationError
        The table is of another network, or images are too few or cannot be used.
    WeightsError, BundleError
        As `export_bundle`; nothing is written.
    """
    check_target(target, options.overwrite)
    full = build_float(weights, options)
    table, surveyed = _table(full, evidence, progress)
    reference = _reference(full, evidence, table, surveyed, progress)
    build = {"fp16": _build_half, "int8": _build_quantized}[options.precision]
    graph, parity = build(full.plain, table, reference, evidence.bound, progress)
    files = {
        MODEL: to_onnx(graph).SerializeToString(),
        PARITY: (json.dumps(parity, indent=2) + "\n").encode(),
        CALIBRATION: table.to_json().encode(),
        **model_card(options),
        **_reference_histograms(full, surveyed),
    }
    manifest = replace(full.manifest, precision=options.precision)
    return write_bundle(target, manifest, files, options.overwrite)


def _table(
    full: FloatNetwork, evidence: Evidence, progress: Progress
) -> tuple[CalibrationTable, Survey | None]:
    """The calibration table, and what was found when images were looked through to make it."""
    if evidence.table is not None:
        evidence.table.check(full.manifest)
        return evidence.table, None
    options = evidence.calibration
    surveyed = survey(full, evidence.files, options.survey, progress)
    chosen = choose_from(surveyed, options)
    if len(chosen) == len(surveyed.usable):
        raise CalibrationError(
            f"all {len(chosen)} usable radiographs would be used for calibration and none is left "
            "to measure on; give more, or calibrate on fewer (--calibration-images)"
        )
    return measure(full, chosen, options, progress), surveyed


def _reference_histograms(full: FloatNetwork, surveyed: Survey | None) -> dict[str, bytes]:
    """For drift, of the radiographs looked through: float32 saw them as a lower precision does."""
    if surveyed is None or len(surveyed.usable) < FEWEST_IMAGES:
        return {}
    return {REFERENCE: reference_of(surveyed, full).to_json().encode()}


def _reference(
    full: FloatNetwork,
    evidence: Evidence,
    table: CalibrationTable,
    surveyed: Survey | None,
    progress: Progress,
) -> MeasuredReference:
    with closing(open_source(full.manifest.preprocess, evidence.calibration.reading)) as source:
        measured = prepare_images(
            evidence.files, source, table.images, evidence.annotations, progress
        )
    known = surveyed.probabilities if surveyed else None
    given = measure_scores(full.model, measured, progress, known)
    return MeasuredReference(full.model, measured, given)


def _build_half(
    plain: Graph,
    table: CalibrationTable,
    reference: MeasuredReference,
    _: ScoreBound,
    progress: Progress,
) -> tuple[Graph, dict[str, object]]:
    graph = rewrite(plain)
    kept = kept_in_float(graph, table.observed)
    half = to_half(graph, table.observed)
    model = to_onnx(half).SerializeToString()
    scores = reference.parity(measure_scores(model, reference.measured, progress))
    layers = {node.name: "fp32" if node.name in kept else "fp16" for node in graph.nodes}
    return half, _parity(reference, model, scores) | {"layers": layers}


def _build_quantized(
    plain: Graph,
    table: CalibrationTable,
    reference: MeasuredReference,
    bound: ScoreBound,
    progress: Progress,
) -> tuple[Graph, dict[str, object]]:
    graph = rewrite(plain, QUANTIZED_REWRITES)
    quantized = quantize_within(graph, table, reference, bound, progress)
    stored = store_kernels_as_half(quantized.graph)
    model = to_onnx(stored).SerializeToString()
    signed = to_onnx(with_signed_numbers(stored)).SerializeToString()
    signed_scores = reference.parity(measure_scores(signed, reference.measured, progress))
    parity = _parity(reference, model, quantized.parity)
    return stored, parity | _quantization(graph, quantized, signed_scores)


def _quantization(
    graph: Graph, quantized: Quantized, signed_scores: ScoreParity
) -> dict[str, object]:
    layers = {
        name: "int8" if name in quantized.convolutions else "fp32" for name in quantizable(graph)
    }
    return {
        "signed_scores": signed_scores.to_dict(),
        "layers": layers,
        "put_back": list(quantized.put_back),
        "scores_with_nothing_put_back": quantized.tried.to_dict(),
    }


def _parity(reference: MeasuredReference, model: bytes, scores: ScoreParity) -> dict[str, object]:
    measured = reference.measured
    images = measured.images[:_COMPARED_IMAGES]
    expected = run_onnx(reference.model, images)
    comparison = compare(run_onnx(model, images), expected, "fp32 network", None)
    models = {"fp32": reference.model, "this": model}
    return {
        "comparisons": [comparison.to_dict()],
        "scores": scores.to_dict(),
        "not_measured": (
            [] if scores.annotated_images else ["MAE and kappa: no image has annotations"]
        ),
        "milliseconds": median_milliseconds(models, measured.images[0]),
    }
