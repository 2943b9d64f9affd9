"""How well raters agree, as tables."""

from collections.abc import Iterator, Mapping, Sequence

from ....runtime.scores import Zone
from ..results import (
    EXPECTED,
    MEAN,
    POOLED,
    READER,
    SCORE,
    ConfusionMatrix,
    Evaluation,
    Figure,
    RaterAgreement,
    RaterComparison,
    Triage,
)
from .table import Table, share, told

GLOBAL_BINS = "global_bins"

_ZONE_FIGURES = {
    "mae": "MAE",
    "sd": "SD of the error",
    "accuracy": "same score",
    "linear_kappa": "linear kappa",
    "quadratic_kappa": "quadratic kappa",
    "icc": "ICC",
}
_GLOBAL_FIGURES = {
    "mae": "MAE",
    "sd": "SD of the error",
    "pearson": "Pearson r",
    "spearman": "Spearman r",
    "icc": "ICC",
    "bias": "bias",
    "lower_limit": "lower limit",
    "upper_limit": "upper limit",
}
_NOTHING = Figure(None, None, None)


def rater_name(comparison: RaterComparison) -> str:
    """The rater in words: a bundle and how it was read, or a radiologist."""
    if comparison.kind == READER:
        return f"radiologist {comparison.rater}"
    return f"{comparison.rater}, expected" if comparison.kind == EXPECTED else comparison.rater


def against(comparisons: Sequence[RaterComparison], reference: str) -> Iterator[RaterComparison]:
    """Those comparisons that take one reader as the reference."""
    return (item for item in comparisons if item.reference == reference)


def summary_table(evaluation: Evaluation, reference: str) -> Table:
    """The main table: every rater in one line."""
    return Table(
        f"Against radiologist {reference}; in brackets the 95 % interval.",
        ("rater", "images", "zone MAE", "quadratic kappa", "global MAE", "Pearson r", "bias"),
        tuple(
            (
                rater_name(item),
                str(item.agreement.images),
                told(item.agreement.zones[MEAN].get("mae")),
                told(item.agreement.zones[POOLED].get("quadratic_kappa")),
                told(item.agreement.global_score.get("mae")),
                told(item.agreement.global_score.get("pearson")),
                told(item.agreement.global_score.get("bias"), sign=True),
            )
            for item in against(evaluation.comparisons, reference)
        ),
    )


def zone_mae_table(evaluation: Evaluation, reference: str) -> Table:
    """Mean absolute error of each zone, every rater in one line."""
    columns = (*(zone.value for zone in Zone), MEAN)
    return Table(
        f"Mean absolute error of each zone against radiologist {reference}.",
        ("rater", *columns),
        tuple(
            (
                rater_name(item),
                *(told(item.agreement.zones[column].get("mae")) for column in columns),
            )
            for item in against(evaluation.comparisons, reference)
        ),
    )


def figure_tables(comparison: RaterComparison) -> tuple[Table, Table]:
    """All figures of one rater: of its zones, and of its global score."""
    name, agreement = rater_name(comparison), comparison.agreement
    opposite = f"{name} against radiologist {comparison.reference}"
    return (
        _zone_figures(f"Zone scores: {opposite}.", agreement),
        Table(
            f"Global score: {opposite}.",
            ("figure", "value"),
            tuple(_figure_rows(agreement.global_score, _GLOBAL_FIGURES)),
        ),
    )


def _zone_figures(caption: str, agreement: RaterAgreement) -> Table:
    columns = (*(zone.value for zone in Zone), MEAN, POOLED)
    present = [
        key for key in _ZONE_FIGURES if any(key in agreement.zones[name] for name in columns)
    ]
    rows = (
        (_ZONE_FIGURES[key], *(told(agreement.zones[name].get(key)) for name in columns))
        for key in present
    )
    return Table(caption, ("figure", *columns), tuple(rows))


def _figure_rows(
    figures: Mapping[str, Figure], names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for key, name in names.items():
        if key in figures:
            yield name, told(figures[key], sign=key in ("bias", "lower_limit", "upper_limit"))


def confusion_table(comparison: RaterComparison, key: str) -> Table:
    """A confusion matrix, with the share of each row that was met."""
    matrix = comparison.confusion[key]
    rows = (
        (label, *map(str, counts), _met(matrix, index))
        for index, (label, counts) in enumerate(zip(matrix.labels, matrix.counts, strict=True))
    )
    what = {GLOBAL_BINS: "global score, in bins", POOLED: "scores of all zones"}[key]
    return Table(
        f"Confusion of {rater_name(comparison)} (columns) with radiologist {comparison.reference} "
        f"(rows): {what}.",
        ("score", *matrix.labels, "met"),
        tuple(rows),
    )


def _met(matrix: ConfusionMatrix, row: int) -> str:
    total = sum(matrix.counts[row])
    return f"{matrix.counts[row][row] / total:.0%}" if total else "-"


def triage_table(evaluation: Evaluation, reference: str) -> Table:
    """Telling severe radiographs, every rater and threshold in one line."""
    return Table(
        f"Telling severe radiographs, by the global score of radiologist {reference}.",
        ("rater", "severe from", "severe", "AUC", "sensitivity", "specificity"),
        tuple(
            (rater_name(item), *_triage_cells(triage))
            for item in against(evaluation.comparisons, reference)
            for triage in item.triage
        ),
    )


def _triage_cells(triage: Triage) -> tuple[str, ...]:
    return (
        str(triage.threshold),
        f"{triage.severe} of {triage.images}",
        told(triage.area),
        share(triage.sensitivity),
        share(triage.specificity),
    )


def reliability_table(evaluation: Evaluation) -> Table:
    """Calibration errors of every bundle."""
    return Table(
        "Calibration of the probabilities: 0 is perfect in both.",
        ("rater", "reference", "expected calibration error", "Brier score"),
        tuple(
            (
                rater_name(item),
                item.reference,
                told(item.reliability.expected_calibration_error, 3),
                told(item.reliability.brier, 3),
            )
            for item in evaluation.comparisons
            if item.kind == SCORE and item.reliability is not None
        ),
    )


def group_table(evaluation: Evaluation) -> Table:
    """Agreement by modality, projection, sex and whatever else the annotations give."""
    return Table(
        "The same, by what the annotations tell of the images.",
        ("rater", "reference", "group", "images", "zone MAE", "global MAE", "Pearson r", "bias"),
        tuple(
            (
                rater_name(item),
                item.reference,
                f"{group.attribute} {group.value}",
                str(group.agreement.images),
                told(group.agreement.zones[MEAN].get("mae")),
                told(group.agreement.global_score.get("mae")),
                told(group.agreement.global_score.get("pearson")),
                told(group.agreement.global_score.get("bias", _NOTHING), sign=True),
            )
            for item in evaluation.comparisons
            for group in item.groups
        ),
    )
