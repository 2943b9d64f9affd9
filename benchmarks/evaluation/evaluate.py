"""From images, annotations and bundles to an `Evaluation`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from ...calibration.annotations.annotations import AnnotationTable, read_annotations
from ...runtime.bundles.bundle import Bundle
from ...runtime.errors import AnnotationsError, BrixiaEdgeError
from ...runtime.progress import Progress, unchanged
from ...runtime.reading.inputs import Inputs, find_inputs
from ...runtime.scorer import Scorer
from ...runtime.scores import SCORES
from .cases import rank_cases
from .description import describe_annotations, describe_bundle, describe_circumstances
from .digests import count_calibrated, digest_set, image_digests
from .matching import AnnotatedImage, Matched, match_images
from .options import EvaluationOptions
from .results import (
    EXPECTED,
    SCORE,
    BundleScores,
    EvaluatedBundle,
    EvaluatedImage,
    Evaluation,
    ImageSet,
    Settings,
    Unscored,
)
from .scoring import BundleRun, label_bundles, run_bundle
from .statistics.comparison import Cohort, SideBySide
from .statistics.raters import bundle_raters, readers_of
from .statistics.resampling import CONFIDENCE, Resamples, clusters_of


@dataclass(frozen=True)
class Sources:
    """What is evaluated.

    Attributes
    ----------
    root
        The folder of images.
    annotations
        Files, in the order that readers are named in.
    tables
        What they hold.
    matched
        Which images they are about.
    inputs
        What the folder holds: image files, and folders that could not be searched.
    """

    root: Path
    annotations: tuple[Path, ...]
    tables: tuple[AnnotationTable, ...]
    matched: Matched
    inputs: Inputs


def gather_sources(root: Path, annotations: Sequence[Path]) -> Sources:
    """Read the annotations and find their images.

    Raises
    ------
    UnreadableImage
        The folder holds no image that can be found.
    AnnotationsError
        An annotations file cannot be used, or none of its rows has an image.
    """
    tables = tuple(read_annotations(path) for path in annotations)
    inputs = find_inputs([str(root)], BytesIO())
    if not inputs.files:
        failure = inputs.failures[0]
        raise type(failure.error)(f"{failure.file} {failure.error}")
    matched = match_images(root, inputs.files, tables)
    return Sources(root, tuple(annotations), tables, matched, inputs)


def run_bundles(
    sources: Sources,
    bundles: Sequence[Bundle],
    options: EvaluationOptions,
    progress: Progress = unchanged,
) -> list[BundleRun]:
    """Score the annotated images with every bundle.

    Raises
    ------
    BackendUnavailable
        The backend cannot run a bundle.
    """
    files = [image.path for image in sources.matched.images]
    runs: list[BundleRun] = []
    for label, bundle in zip(label_bundles(bundles), bundles, strict=True):
        backend, threads, reading = options.backend, options.threads, options.reading
        with Scorer(bundle, backend, threads, reading=reading) as scorer:
            runs.append(run_bundle(label, scorer, files, progress))
    return runs


def evaluate(sources: Sources, runs: Sequence[BundleRun], options: EvaluationOptions) -> Evaluation:
    """Compare what bundles scored with what radiologists did.

    Raises
    ------
    AnnotationsError
        No annotated image could be scored.
    """
    images = _scored_by_all(sources.matched.images, runs)
    patients = [image.patient for image in images]
    resamples = Resamples(clusters_of(patients), options.resamples, options.seed)
    cohort = Cohort(patients, [image.attributes for image in images], resamples)
    readers = readers_of(sources.tables, images)
    raters = [rater for run in runs for rater in bundle_raters(run, images)]
    table = SideBySide(raters, readers, cohort)
    digests = image_digests(sources.root, [image.path for image in images])
    return Evaluation(
        readers=tuple(reader.name for reader in readers),
        bundles=tuple(_bundles(runs, table, images, digests)),
        comparisons=tuple(table.comparisons()),
        differences=tuple(table.differences()),
        changes=tuple(table.changes()),
        images=tuple(_images(images, runs)),
        image_set=_image_set(sources, runs, images, digests),
        annotations=tuple(map(describe_annotations, sources.annotations, sources.tables)),
        settings=Settings(
            options.resamples,
            options.seed,
            "patients" if any(patients) else "images",
            CONFIDENCE,
        ),
        circumstances=describe_circumstances(),
    )


def _scored_by_all(
    images: Sequence[AnnotatedImage], runs: Sequence[BundleRun]
) -> list[AnnotatedImage]:
    """The images that every bundle has scored: figures side by side are of the same images."""
    kept = [image for image in images if all(image.path in run.scored for run in runs)]
    if not kept:
        reason = next(error for run in runs for error in run.failed.values())
        raise AnnotationsError(
            f"none of {len(images)} annotated images could be scored; the first one {reason}"
        )
    return kept


def _bundles(
    runs: Sequence[BundleRun],
    table: SideBySide,
    images: Sequence[AnnotatedImage],
    digests: Mapping[str, str],
) -> Iterator[EvaluatedBundle]:
    names = [image.name for image in images]
    for run in runs:
        warnings = [run.scored[image.path].warnings for image in images]
        pairs = table.pair(run.label, SCORE), table.pair(run.label, EXPECTED)
        cases = rank_cases(*pairs, names, warnings)
        yield describe_bundle(run, cases, count_calibrated(run.bundle, digests))


def _images(
    images: Sequence[AnnotatedImage], runs: Sequence[BundleRun]
) -> Iterator[EvaluatedImage]:
    for image in images:
        readers = {
            name: tuple(map(float, reading.values)) for name, reading in image.readings.items()
        }
        yield EvaluatedImage(image.name, readers, dict(_scores(image, runs)))


def _scores(image: AnnotatedImage, runs: Sequence[BundleRun]) -> Iterator[tuple[str, BundleScores]]:
    for run in runs:
        result = run.scored[image.path]
        probabilities = result.probabilities.astype(np.float64)
        yield (
            run.label,
            BundleScores(
                score=tuple(map(int, probabilities.argmax(axis=1))),
                expected=tuple(map(float, probabilities @ SCORES)),
                probabilities=tuple(tuple(map(float, zone)) for zone in probabilities),
                warnings=result.warnings,
            ),
        )


def _image_set(
    sources: Sources,
    runs: Sequence[BundleRun],
    images: Sequence[AnnotatedImage],
    digests: Mapping[str, str],
) -> ImageSet:
    patients = {image.patient for image in images} - {None}
    return ImageSet(
        sha256=digest_set(digests),
        found=len(sources.inputs.files),
        evaluated=len(images),
        patients=len(patients) or None,
        without_annotation=sources.matched.without_annotation,
        without_image=sources.matched.without_image,
        unscored=tuple(_unscored(sources, runs)),
    )


def _unscored(sources: Sources, runs: Sequence[BundleRun]) -> Iterator[Unscored]:
    """Told once, however many bundles could not score it."""
    for entry in sources.inputs.failures:
        name = entry.file.relative_to(sources.root).as_posix()
        yield Unscored(name, *_told(entry.error))
    failed = {path: error for run in reversed(runs) for path, error in run.failed.items()}
    for image in sources.matched.images:
        if (error := failed.get(image.path)) is not None:
            yield Unscored(image.name, *_told(error))


def _told(error: BrixiaEdgeError) -> tuple[str, str]:
    return type(error).__name__, str(error)
