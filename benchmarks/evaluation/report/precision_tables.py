"""What one bundle costs against another, and how fast each is, as tables."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..results import EXPECTED, MEAN, POOLED, EvaluatedBundle, Evaluation, PairedDifference
from .table import Table, share, told


def difference_table(evaluation: Evaluation) -> Table:
    """Paired differences of the main figures."""
    return Table(
        "Paired differences on the same images and resamples; 0 is no change.",
        ("bundle minus baseline", "reference", "zone MAE", "quadratic kappa", "global MAE", "bias"),
        tuple(
            (
                _pair(item),
                item.reference,
                told(item.agreement.zones[MEAN].get("mae"), 4, sign=True),
                told(item.agreement.zones[POOLED].get("quadratic_kappa"), 4, sign=True),
                told(item.agreement.global_score.get("mae"), 4, sign=True),
                told(item.agreement.global_score.get("bias"), 4, sign=True),
            )
            for item in evaluation.differences
        ),
    )


def _pair(item: PairedDifference) -> str:
    read = ", expected" if item.kind == EXPECTED else ""
    return f"{item.bundle} minus {item.baseline}{read}"


def change_table(evaluation: Evaluation) -> Table:
    """How far scores moved, whatever the radiologists say."""
    return Table(
        "How far the scores themselves lie apart.",
        (
            "bundle against baseline",
            "zones with the same score",
            "same global score",
            "mean change of the expected global score",
            "largest",
        ),
        tuple(
            (
                f"{item.bundle} against {item.baseline}",
                share(item.same_zone_score),
                share(item.same_global_score),
                told(item.mean_expected_global, 4),
                f"{item.largest_expected_global:.4f}",
            )
            for item in evaluation.changes
        ),
    )


def parity_table(evaluation: Evaluation) -> Table:
    """What each bundle's export measured on radiographs that calibration did not use."""
    return Table(
        "What the bundles carry: measured at export against fp32, on images apart.",
        (
            "bundle",
            "images",
            "zones with the same score",
            "change of the expected global score, mean",
            "its 99th percentile",
        ),
        tuple(row for bundle in evaluation.bundles for row in _parity_rows(bundle)),
    )


def _parity_rows(bundle: EvaluatedBundle) -> Iterator[tuple[str, ...]]:
    scores = bundle.parity.get("scores")
    if isinstance(scores, Mapping):
        measured = cast(Mapping[str, Any], scores)
        change = measured["expected_global"]
        yield (
            bundle.label,
            str(measured["images"]),
            f"{measured['zone_agreement']:.2%}",
            f"{change['mean']:.4f}",
            f"{change['p99']:.4f}",
        )


def timing_table(evaluation: Evaluation) -> Table:
    """Milliseconds an image on the machine that evaluated."""
    return Table(
        "Milliseconds an image on this machine.",
        ("bundle", "backend", "stage", "median", "95th percentile", "fastest", "slowest"),
        tuple(
            (
                bundle.label,
                bundle.backend,
                stage,
                f"{times.median:.1f}",
                f"{times.percentile_95:.1f}",
                f"{times.fastest:.1f}",
                f"{times.slowest:.1f}",
            )
            for bundle in evaluation.bundles
            for stage, times in bundle.timing_ms.items()
        ),
    )
