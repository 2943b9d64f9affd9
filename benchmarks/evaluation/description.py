"""What an evaluation says of its bundles, files and machine, apart from figures."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ...calibration.annotations.annotations import AnnotationTable
from ...runtime.bundles.manifest import MODEL
from ...runtime.bundles.parity_report import read_parity
from ...runtime.documents import LARGEST_DOCUMENT
from ...runtime.files import digest_file, read_file
from ...runtime.inspection.machine import examine
from ...runtime.quality.drift import FEWEST_IMAGES, compare_with_reference
from ...runtime.quality.reference_histograms import read_reference
from ...runtime.results import Timing
from .results import (
    AnnotationsFile,
    Case,
    Circumstances,
    EvaluatedBundle,
    MachineFinding,
    TimingStatistics,
)
from .scoring import BundleRun

MODEL_CARD = "MODEL_CARD.md"
_PACKAGES = (
    "brixia-edge",
    "numpy",
    "opencv-python-headless",
    "pydicom",
    "onnxruntime",
    "openvino",
    "scikit-learn",
)


def describe_bundle(
    run: BundleRun, cases: tuple[tuple[Case, ...], tuple[Case, ...]], calibrated: int
) -> EvaluatedBundle:
    """What a bundle is and how it fared apart from accuracy; `cases` are the worst and the best."""
    manifest, card = run.bundle.manifest, run.bundle.root / MODEL_CARD
    listed = MODEL_CARD in manifest.files
    return EvaluatedBundle(
        label=run.label,
        name=manifest.name,
        precision=manifest.precision,
        weights_sha256=manifest.weights_sha256,
        exact_weights_sha256=manifest.exact_weights_sha256,
        model_sha256=manifest.files[MODEL],
        model_bytes=run.bundle.model.stat().st_size,
        variant=manifest.variant,
        licence=manifest.licence,
        intended_use=manifest.intended_use,
        preprocess=manifest.preprocess.to_dict(),
        built_with=manifest.built_with,
        backend=run.backend,
        model_card=_text(card) if listed else None,
        parity=read_parity(run.bundle),
        timing_ms=time_statistics([entry.timing for entry in run.scored.values()]),
        doubtful=sum(bool(entry.warnings) for entry in run.scored.values()),
        drift=_drift(run),
        calibrated=calibrated,
        worst=cases[0],
        best=cases[1],
    )


def _text(card: Path) -> str:
    """A text from somebody else's bundle, with marks for what is no text in it."""
    return read_file(card, LARGEST_DOCUMENT).decode("utf-8", "replace")


def _drift(run: BundleRun) -> Mapping[str, object] | None:
    reference = read_reference(run.bundle)
    if reference is None or len(run.scored) < FEWEST_IMAGES:
        return None
    observations = [entry.observed for entry in run.scored.values()]
    return compare_with_reference(reference, observations).to_dict()


def time_statistics(timings: Sequence[Timing]) -> Mapping[str, TimingStatistics]:
    """Statistics by stage; the first image is left out where there are more."""
    kept = [asdict(timing) for timing in timings[1:] or timings]
    stages = [entry.name for entry in fields(Timing)]
    return {stage: _statistics([timing[stage] for timing in kept]) for stage in stages}


def _statistics(milliseconds: Sequence[float]) -> TimingStatistics:
    values = np.array(milliseconds)
    median, percentile_95 = np.percentile(values, [50, 95])
    return TimingStatistics(
        median=float(median),
        percentile_95=float(percentile_95),
        mean=float(values.mean()),
        fastest=float(values.min()),
        slowest=float(values.max()),
    )


def describe_annotations(path: Path, table: AnnotationTable) -> AnnotationsFile:
    """Which file it was, and what was wrong with its rows."""
    return AnnotationsFile(
        name=path.name,
        sha256=digest_file(path),
        form=table.form,
        rows=table.rows,
        rejected=table.rejected,
        warnings=table.warnings,
    )


def describe_circumstances() -> Circumstances:
    """Now, here, and with which versions."""
    versions = {name: found for name in _PACKAGES if (found := _version(name))}
    return Circumstances(
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions={"python": platform.python_version(), **versions},
        machine=tuple(
            MachineFinding(finding.subject, finding.verdict, finding.detail)
            for finding in examine()
        ),
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
