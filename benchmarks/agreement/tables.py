"""The agreement as a table, for a terminal or a page."""

from collections.abc import Iterable

from ..tables import MakeTable
from .summary import ContestantSummary

HEADER = (
    "network, backend",
    "ms an image",
    "times as fast",
    "95 % interval",
    "zones equal",
    "expected zone: mean",
    "largest",
    "expected global: mean",
    "largest",
)


def agreement_table(summaries: Iterable[ContestantSummary], make: MakeTable) -> list[str]:
    """Lines of a table, one row a contestant; the first is the reference of all columns."""
    return make(HEADER, [_row(summary) for summary in summaries])


def _row(summary: ContestantSummary) -> list[str]:
    speed = summary.speed
    return [
        summary.name,
        f"{summary.milliseconds:.0f}",
        f"{speed.ratio:.2f}",
        f"{speed.lower:.2f} to {speed.upper:.2f}",
        f"{summary.zones_equal:.2%}",
        f"{summary.expected_zone_mean:.4f}",
        f"{summary.expected_zone_largest:.4f}",
        f"{summary.expected_global_mean:.4f}",
        f"{summary.expected_global_largest:.4f}",
    ]
