"""The options of `brixia-edge export` that choose a precision and its evidence."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ...calibration.options import MINIMUM_IMAGES, CalibrationOptions
from ...calibration.ranges.table_entries import METHODS
from ...runtime.bundles.manifest import PRECISIONS
from ...runtime.commands.inputs import reading_mode
from ...runtime.commands.options import FILE, PATH, isolate_option
from ..parity.score_parity import ScoreBound
from .evidence import Evidence, EvidenceOptions, gather_evidence


@dataclass(frozen=True)
class PrecisionOptions:
    """The precision, and where its evidence lies."""

    precision: str
    where: EvidenceOptions
    calibration: CalibrationOptions
    bound: ScoreBound

    def gather(self) -> Evidence | None:
        """Read the evidence; float32 needs none.

        Raises
        ------
        CalibrationError
            As `gather_evidence`.
        """
        return gather_evidence(self.precision, self.where, self.calibration, self.bound)


def precision_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; it gets them as one argument, `reduced`."""

    @functools.wraps(function)
    def gather(
        *arguments: Any,
        precision: str,
        calibration: Path | None,
        images: Path | None,
        annotations: Path | None,
        method: str,
        calibration_images: int,
        seed: int,
        max_score_drop: float,
        isolate: bool | None,
        **others: Any,
    ) -> Any:
        minimum = min(MINIMUM_IMAGES, calibration_images)
        folders = [str(path) for path in (calibration, images) if path]
        chosen = CalibrationOptions(
            method,
            images=calibration_images,
            minimum=minimum,
            seed=seed,
            reading=reading_mode(isolate, folders, ()),
        )
        where = EvidenceOptions(calibration, images, annotations)
        options = PrecisionOptions(precision, where, chosen, ScoreBound(max_score_drop))
        return function(*arguments, reduced=options, **others)

    for option in reversed(_OPTIONS):
        gather = option(gather)
    return gather


_OPTIONS = (
    click.option("--precision", type=click.Choice(PRECISIONS), default="fp32", show_default=True),
    click.option(
        "--calibration",
        type=PATH,
        help="For fp16 and int8: a calibration table, or a folder of radiographs.",
    ),
    click.option(
        "--images",
        type=PATH,
        help="A folder of radiographs to measure on; default: those calibration leaves over.",
    ),
    click.option(
        "--annotations",
        type=FILE,
        help="CSV with a radiologist's zone scores of the measured radiographs.",
    ),
    click.option("--method", type=click.Choice(METHODS), default="percentile", show_default=True),
    click.option("--calibration-images", type=click.IntRange(1), default=100, show_default=True),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
    click.option(
        "--max-score-drop",
        type=click.FloatRange(0),
        default=ScoreBound().score_drop,
        show_default=True,
        help="For int8: largest p99 of the change of the expected global score.",
    ),
    isolate_option,
)
