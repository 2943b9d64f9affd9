"""An evaluation as sections, in the order in which a reader asks; all forms of it render these."""

from collections.abc import Iterator

from ..results import POOLED, EvaluatedBundle, Evaluation
from .agreement_tables import (
    GLOBAL_BINS,
    confusion_table,
    figure_tables,
    group_table,
    reliability_table,
    summary_table,
    triage_table,
    zone_mae_table,
)
from .precision_tables import change_table, difference_table, parity_table, timing_table
from .provenance_tables import (
    bundle_table,
    case_table,
    data_table,
    left_out_table,
    machine_table,
)
from .table import Section, Table, section

_SUMMARY = (
    "MAE is the mean absolute error: of a zone 0 to 3, of the global score 0 to 18. A bundle is "
    "read as the paper's authors do, by the most probable score of each zone; 'expected' is the "
    "mean of its probabilities.",
)
_ZONES = (
    "A, B, C are the upper, middle and lower zone of the patient's right lung, D, E, F of the "
    "left.",
)
_GLOBAL = (
    "The bias is the mean of the rater's score minus the radiologist's; between the limits lie "
    "95 % of the differences if they are normally distributed (Bland and Altman).",
)
_TRIAGE = ("AUC is the area under the curve when images are ranked by the rater's global score.",)
_PROBABILITIES = (
    "Where the curve lies below the diagonal, the network is surer than it is right.",
)
_PRECISION = ("The first bundle is the baseline.",)
_CASES = (
    "By the absolute error of the global score, ties by the errors of the zones. Zones stand in "
    "the order A B C | D E F.",
)
_MODELS = ("What the bundles say of themselves.",)


def sections(evaluation: Evaluation) -> tuple[Section, ...]:
    """Make the sections of a report; those with nothing to tell are left out."""
    return tuple(part for part in _all(evaluation) if part.tables or part.key == "models")


def _all(evaluation: Evaluation) -> Iterator[Section]:
    references = tuple(dict.fromkeys(item.reference for item in evaluation.comparisons))
    yield section(
        "summary",
        "At a glance",
        _SUMMARY,
        *(summary_table(evaluation, name) for name in references),
    )
    yield section(
        "zones", "Zones", _ZONES, *(zone_mae_table(evaluation, name) for name in references)
    )
    yield section("confusion", "Confusion", (), *_confusions(evaluation))
    yield section("global", "Global score", _GLOBAL, *_figures(evaluation))
    yield section(
        "triage", "Severity", _TRIAGE, *(triage_table(evaluation, name) for name in references)
    )
    yield section("probabilities", "Probabilities", _PROBABILITIES, reliability_table(evaluation))
    yield section("groups", "Groups", (), group_table(evaluation))
    yield section("precision", "Cost of precision", _PRECISION, *_precision(evaluation))
    yield section("cases", "Worst and best cases", _CASES, *_cases(evaluation))
    yield section("timing", "Time", (), timing_table(evaluation))
    yield section("models", "Models", _MODELS, bundle_table(evaluation))
    yield section("provenance", "Provenance", (), *_provenance(evaluation))


def _confusions(evaluation: Evaluation) -> Iterator[Table]:
    for comparison in evaluation.comparisons:
        for key in (POOLED, GLOBAL_BINS):
            if key in comparison.confusion:
                yield confusion_table(comparison, key)


def _figures(evaluation: Evaluation) -> Iterator[Table]:
    for comparison in evaluation.comparisons:
        yield from figure_tables(comparison)


def _precision(evaluation: Evaluation) -> Iterator[Table]:
    yield difference_table(evaluation)
    yield change_table(evaluation)
    yield parity_table(evaluation)


def _cases(evaluation: Evaluation) -> Iterator[Table]:
    for bundle in evaluation.bundles:
        yield from bundle_cases(bundle)


def bundle_cases(bundle: EvaluatedBundle) -> tuple[Table, Table]:
    """The worst and the best cases of one bundle."""
    return case_table(bundle, bundle.worst, "Worst"), case_table(bundle, bundle.best, "Best")


def _provenance(evaluation: Evaluation) -> Iterator[Table]:
    yield data_table(evaluation)
    yield left_out_table(evaluation)
    yield machine_table(evaluation)
