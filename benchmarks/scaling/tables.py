"""Scaling as tables, for a terminal or a page."""

from collections.abc import Iterable

from ..tables import MakeTable
from .files import FilesRow
from .workers import ScalingRow


def load_table(rows: Iterable[ScalingRow], make: MakeTable) -> list[str]:
    """One row for each load."""
    header = ("processes", "threads of each", "batch", "images per second", "peak memory, MB")
    return make(
        header,
        [
            [
                str(row.load.processes),
                "all" if row.load.threads is None else str(row.load.threads),
                str(row.load.batch),
                f"{row.throughput:.2f}",
                _megabytes(row.peak_memory),
            ]
            for row in rows
        ],
    )


def files_table(rows: Iterable[FilesRow], make: MakeTable) -> list[str]:
    """One row for each number of files."""
    header = ("files", "seconds", "ms for each further file", "peak memory, MB")
    return make(
        header,
        [
            [
                f"{row.files:,}",
                f"{row.seconds:.1f}",
                "" if row.further is None else f"{row.further:.2f}",
                _megabytes(row.peak_memory),
            ]
            for row in rows
        ],
    )


def _megabytes(amount: int | None) -> str:
    return "not told" if amount is None else f"{amount / 1e6:.0f}"
