"""What an evaluation may choose, and what it reads and writes."""

from dataclasses import dataclass
from pathlib import Path

from ...runtime.backends import AUTO
from ...runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode


@dataclass(frozen=True)
class EvaluationOptions:
    """How to run, to resample and to read files; `threads` None takes all cores."""

    backend: str = AUTO
    threads: int | None = None
    resamples: int = 2000
    seed: int = 0
    reading: ReadingMode = IN_THIS_PROCESS


@dataclass(frozen=True)
class EvaluationFiles:
    """What an evaluation reads and writes.

    Attributes
    ----------
    images
        The folder of radiographs.
    annotations
        CSV files with radiologists' scores.
    bundles
        Directories of bundles; empty is the shipped one.
    output
        The folder of the report.
    overwrite
        Replace an earlier report.
    """

    images: Path
    annotations: tuple[Path, ...]
    bundles: tuple[Path, ...]
    output: Path
    overwrite: bool = False
