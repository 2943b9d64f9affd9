"""What an evaluation gives: frozen data that every form of the report is written from.

`docs/evaluation.md` describes the same as it stands in ``evaluation.json``; the two follow each
other field by field. A *rater* is whoever gave scores: a bundle, read in one of two ways, or a
radiologist; a *reference* is the radiologist it is compared with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ...runtime.results import RESEARCH_USE, kind_of

SCHEMA_VERSION = 1

SCORE = "score"
"""A bundle read as the paper's authors do: the most probable score of each zone."""

EXPECTED = "expected"
"""A bundle read by the mean of its probabilities."""

READER = "reader"
"""A radiologist."""

MEAN = "mean"
"""Stands beside the zones A to F: the mean of the six zones' figures."""

POOLED = "pooled"
"""Stands beside the zones A to F: the figure of all zones' scores taken together."""


@dataclass(frozen=True)
class Figure:
    """A number and its 95 % bootstrap interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


Figures = Mapping[str, Figure]
"""Figures by name, for instance ``mae`` or ``quadratic_kappa``."""


@dataclass(frozen=True)
class RaterAgreement:
    """How well a rater agrees with a reference.

    Attributes
    ----------
    images, patients
        How many are compared; `patients` is None where the annotations name none.
    zones
        By ``A`` to ``F``, ``mean`` and ``pooled``: ``mae``, ``sd`` (of the absolute error),
        ``icc``, and for raters that give whole scores ``accuracy``, ``linear_kappa`` and
        ``quadratic_kappa``.
    global_score
        ``mae``, ``sd``, ``pearson``, ``spearman``, ``icc``, ``bias`` (mean of rater minus
        reference), ``lower_limit`` and ``upper_limit`` (Bland and Altman).
    """

    images: int
    patients: int | None
    zones: Mapping[str, Figures]
    global_score: Figures


@dataclass(frozen=True)
class Group:
    """A part of the images, such as ``sex`` ``F``, and the agreement there."""

    attribute: str
    value: str
    agreement: RaterAgreement


@dataclass(frozen=True)
class ConfusionMatrix:
    """How often which scores met.

    Attributes
    ----------
    labels
        Names of the classes, of rows and columns alike.
    counts
        ``[classes][classes]``: rows are the reference's scores, columns the rater's.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class RocPoint:
    """One point of a receiver operating characteristic: the rater calls ``>= cut`` severe."""

    cut: float | None
    sensitivity: float
    false_positive_rate: float


@dataclass(frozen=True)
class Triage:
    """Telling severe radiographs, those whose reference global score reaches a threshold.

    Attributes
    ----------
    threshold
        The least global score that counts as severe.
    severe, images
        How many radiographs are severe, and how many there are.
    area
        Under the curve (AUC), the rater's global score as the ranking.
    sensitivity, specificity
        When the rater's own global score is held to the same threshold.
    curve
        From (0, 0) to (1, 1); the first point's cut is None: nothing is called severe.
    """

    threshold: int
    severe: int
    images: int
    area: Figure
    sensitivity: Figure
    specificity: Figure
    curve: tuple[RocPoint, ...]


@dataclass(frozen=True)
class ReliabilityBin:
    """Zones whose highest probability lies in an interval.

    Attributes
    ----------
    low, high
        The interval: greater than `low` and at most `high`.
    zones
        How many zones.
    confidence, accuracy
        Means of the highest probability, and of being right; None without zones.
    """

    low: float
    high: float
    zones: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """Whether probabilities can be taken at their word.

    Attributes
    ----------
    expected_calibration_error
        Mean over zones of the gap between confidence and accuracy in their bin
        (Guo et al., ICML 2017).
    brier
        Mean over zones of the squared distance between probabilities and what was so, summed
        over the four scores: 0 to 2 (Brier 1950).
    bins
        The reliability curve.
    """

    expected_calibration_error: Figure
    brier: Figure
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True)
class RaterComparison:
    """A rater beside a reference.

    Attributes
    ----------
    rater, kind
        A bundle's label with `SCORE` or `EXPECTED`, or a reader's name with `READER`.
    reference
        A reader's name.
    agreement
        On all images that both scored.
    groups
        The same by modality, projection, sex, age group and consensus test set, where given.
    confusion
        By ``A`` to ``F``, ``pooled``, ``global`` and ``global_bins``; empty for `EXPECTED`.
    triage
        One for each threshold.
    reliability
        Of the probabilities; for bundles only.
    """

    rater: str
    kind: str
    reference: str
    agreement: RaterAgreement
    groups: tuple[Group, ...]
    confusion: Mapping[str, ConfusionMatrix]
    triage: tuple[Triage, ...]
    reliability: Reliability | None


@dataclass(frozen=True)
class PairedDifference:
    """What changes from one bundle to another on the same images, over the same resamples.

    Attributes
    ----------
    bundle, baseline
        Labels; every figure is the bundle's minus the baseline's.
    kind, reference
        As in `RaterComparison`.
    agreement
        The figures of `RaterAgreement`, as differences.
    area
        Difference of the area under the curve by threshold.
    reliability
        Differences of ``expected_calibration_error`` and ``brier``.
    """

    bundle: str
    baseline: str
    kind: str
    reference: str
    agreement: RaterAgreement
    area: Mapping[str, Figure]
    reliability: Figures


@dataclass(frozen=True)
class ScoreChange:
    """How far a bundle's scores lie from the baseline's, whatever the radiologists say.

    Attributes
    ----------
    same_zone_score
        Share of zones with the same score.
    same_global_score
        Share of images with the same global score.
    mean_expected_global, largest_expected_global
        Absolute change of the expected global score.
    """

    bundle: str
    baseline: str
    same_zone_score: Figure
    same_global_score: Figure
    mean_expected_global: Figure
    largest_expected_global: float


@dataclass(frozen=True)
class Case:
    """One radiograph and how far a bundle is off.

    Attributes
    ----------
    file
        Relative to the folder of images.
    reference, score, expected
        Zones A to F: the first reader's, the bundle's most probable ones, and its expected ones.
    global_error
        Absolute error of the global score.
    zone_error
        Sum of the absolute errors of the zones.
    warnings
        What scoring doubted.
    """

    file: str
    reference: tuple[float, ...]
    score: tuple[int, ...]
    expected: tuple[float, ...]
    global_error: float
    zone_error: float
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class TimingStatistics:
    """Wall-clock milliseconds over the images, without the first, which warms up."""

    median: float
    percentile_95: float
    mean: float
    fastest: float
    slowest: float


@dataclass(frozen=True)
class EvaluatedBundle:
    """A bundle, what it says of itself, and how it fared apart from accuracy.

    Attributes
    ----------
    label
        What it is called everywhere else in the evaluation.
    name, precision, weights_sha256
        Its identity.
    exact_weights_sha256
        Of a light network, the weights of the exact one that it was learned from; None of an exact
        one.
    model_sha256, model_bytes
        Digest and size of ``model.onnx``.
    variant, licence, intended_use, preprocess, built_with
        From its manifest; its variant is the network's architecture.
    backend
        What ran it.
    model_card
        The text of its ``MODEL_CARD.md``; None when it has none.
    parity
        Its ``parity.json``, what its precision costs; empty when it has none.
    timing_ms
        By stage: ``read``, ``prepare``, ``infer``, ``total``.
    doubtful
        How many scores carry a warning.
    drift
        As `runtime.drift.DriftReport.to_dict`: whether the images look like what it knows. None
        where it has no reference histograms, or there are too few images.
    calibrated
        How many of the evaluated images its calibration used: on those it may look too good.
    worst, best
        Cases by the error of the global score, ties by that of the zones.
    """

    label: str
    name: str
    precision: str
    weights_sha256: str
    exact_weights_sha256: str | None
    model_sha256: str
    model_bytes: int
    variant: str
    licence: str
    intended_use: str
    preprocess: Mapping[str, object]
    built_with: Mapping[str, str]
    backend: str
    model_card: str | None
    parity: Mapping[str, object]
    timing_ms: Mapping[str, TimingStatistics]
    doubtful: int
    drift: Mapping[str, object] | None
    calibrated: int
    worst: tuple[Case, ...]
    best: tuple[Case, ...]

    @property
    def kind(self) -> str:
        """See `kind_of`."""
        return kind_of(self.precision, self.exact_weights_sha256 is not None)


@dataclass(frozen=True)
class AnnotationsFile:
    """An annotations file that was read.

    Attributes
    ----------
    name, sha256
        The file's name, without its folder, and digest.
    form
        What it was taken for, see `runtime.annotations`.
    rows
        How many rows it has, the header not counted.
    rejected, warnings
        Rows that were not used, and rows that were in spite of a doubt, each with its reason.
    """

    name: str
    sha256: str
    form: str
    rows: int
    rejected: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class WithoutImage:
    """An annotated file of which there is no image, or more than one: which, says the reason."""

    file: str
    reason: str


@dataclass(frozen=True)
class Unscored:
    """An annotated image without score, or a folder that could not be searched, and why."""

    file: str
    type: str
    message: str


@dataclass(frozen=True)
class ImageSet:
    """The images, and what became of them.

    Attributes
    ----------
    sha256
        Digest over the lines ``<sha256 of the file>  <relative path>``, sorted by path, of the
        evaluated images, as ``sha256sum`` writes them.
    found, evaluated
        How many image files there are in the folder, and how many were evaluated.
    patients
        How many patients; None where the annotations name none.
    without_annotation
        Images that no row is about.
    without_image
        Annotated files that could not be matched.
    unscored
        Annotated images that could not be scored, and folders that could not be searched.
    """

    sha256: str
    found: int
    evaluated: int
    patients: int | None
    without_annotation: tuple[str, ...]
    without_image: tuple[WithoutImage, ...]
    unscored: tuple[Unscored, ...]


@dataclass(frozen=True)
class BundleScores:
    """One bundle's scores of one image, zones A to F.

    Attributes
    ----------
    score, expected
        The most probable scores, and the means of the probabilities.
    probabilities
        ``[6][4]``, of the scores 0 to 3.
    warnings
        What scoring doubted.
    """

    score: tuple[int, ...]
    expected: tuple[float, ...]
    probabilities: tuple[tuple[float, ...], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class EvaluatedImage:
    """One image with all its scores; their sums are the global scores.

    Attributes
    ----------
    file
        Relative to the folder of images.
    readers
        Zones A to F by reader; means where a consensus gives them.
    bundles
        By label.
    """

    file: str
    readers: Mapping[str, tuple[float, ...]]
    bundles: Mapping[str, BundleScores]


@dataclass(frozen=True)
class Settings:
    """How the evaluation was made.

    Attributes
    ----------
    resamples, seed
        Of the bootstrap.
    resampled
        What was drawn with replacement: ``patients`` or ``images``.
    confidence
        Of the intervals, 0 to 1.
    """

    resamples: int
    seed: int
    resampled: str
    confidence: float


@dataclass(frozen=True)
class MachineFinding:
    """A line of `brixia-edge doctor`."""

    subject: str
    verdict: str
    detail: str


@dataclass(frozen=True)
class Circumstances:
    """Where and when: UTC time in ISO 8601, versions by package, the machine."""

    created: str
    versions: Mapping[str, str]
    machine: tuple[MachineFinding, ...]


@dataclass(frozen=True)
class Evaluation:
    """All that `brixia-edge evaluate` finds out.

    Attributes
    ----------
    readers
        Names; the first is the one that the best and worst cases are told by.
    bundles
        In the order given; the first is the baseline of the differences.
    comparisons
        Bundles with readers first, then readers with readers.
    """

    readers: tuple[str, ...]
    bundles: tuple[EvaluatedBundle, ...]
    comparisons: tuple[RaterComparison, ...]
    differences: tuple[PairedDifference, ...]
    changes: tuple[ScoreChange, ...]
    images: tuple[EvaluatedImage, ...]
    image_set: ImageSet
    annotations: tuple[AnnotationsFile, ...]
    settings: Settings
    circumstances: Circumstances
    notice: str = RESEARCH_USE
    schema_version: int = SCHEMA_VERSION
