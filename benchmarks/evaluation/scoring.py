"""Scores every image with a bundle, and keeps what an evaluation needs of each result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...runtime.bundles.bundle import Bundle
from ...runtime.errors import BrixiaEdgeError
from ...runtime.progress import Progress, unchanged
from ...runtime.quality.reference_histograms import observe
from ...runtime.results import ScoredRadiograph, Timing, UnscoredFile
from ...runtime.scorer import Scorer

Result = ScoredRadiograph | UnscoredFile


@dataclass(frozen=True)
class Scored:
    """What is kept of one scored image.

    Attributes
    ----------
    probabilities
        float32 ``[6, 4]``.
    timing
        Milliseconds.
    warnings
        What scoring doubted.
    observed
        As `runtime.reference.observe`, for drift.
    """

    probabilities: NDArray[np.float32]
    timing: Timing
    warnings: tuple[str, ...]
    observed: Mapping[str, float]


@dataclass(frozen=True)
class BundleRun:
    """One bundle and its results.

    Attributes
    ----------
    label
        What the bundle is called in the evaluation.
    bundle
        The bundle.
    backend
        What ran it.
    scored, failed
        Results by file, in the order of the run.
    """

    label: str
    bundle: Bundle
    backend: str
    scored: Mapping[Path, Scored]
    failed: Mapping[Path, BrixiaEdgeError]


def run_bundle(
    label: str, scorer: Scorer, files: Sequence[Path], progress: Progress = unchanged
) -> BundleRun:
    """Score files one after the other; one that fails keeps its reason."""
    scored: dict[Path, Scored] = {}
    failed: dict[Path, BrixiaEdgeError] = {}
    for result in progress(f"Scoring ({label})", scorer.score_many(files), len(files)):
        if isinstance(result, UnscoredFile):
            failed[result.file] = result.error
        else:
            scored[result.file] = Scored(
                result.prediction.probabilities,
                result.timing,
                result.quality.warnings,
                observe(result),
            )
    return BundleRun(label, scorer.bundle, scorer.session.backend, scored, failed)


def label_bundles(bundles: Sequence[Bundle]) -> list[str]:
    """Short labels that tell bundles apart: their kind, else with the name, else with a number."""
    identities = [bundle.identity for bundle in bundles]
    short = [identity.kind for identity in identities]
    long = [f"{identity.name} {identity.kind}" for identity in identities]
    for labels in (short, long):
        if len(set(labels)) == len(labels):
            return labels
    return [f"{label} ({number})" for number, label in enumerate(long, 1)]
