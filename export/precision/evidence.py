"""What a lower precision is calibrated and measured on."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from ...calibration.annotations.annotations import read_annotations
from ...calibration.options import CalibrationOptions
from ...calibration.ranges.table import CalibrationTable
from ...runtime.errors import CalibrationError
from ...runtime.reading.inputs import find_inputs
from ..parity.measured import Annotations
from ..parity.score_parity import ScoreBound

FULL_PRECISION = "fp32"


@dataclass(frozen=True)
class Evidence:
    """Radiographs, and how to use them.

    Attributes
    ----------
    table
        A calibration table of these weights; None makes one from `files`.
    files
        Radiographs; those that calibration did not use are measured on.
    calibration
        How to choose and clip when there is no table.
    annotations
        Radiologists' scores by file name; may be empty.
    bound
        How much INT8 may change scores.
    """

    table: CalibrationTable | None
    files: Sequence[Path]
    calibration: CalibrationOptions
    annotations: Annotations
    bound: ScoreBound


@dataclass(frozen=True)
class EvidenceOptions:
    """Where the evidence lies.

    Attributes
    ----------
    calibration
        A calibration table, or a folder of radiographs to calibrate on.
    images
        A folder of radiographs to measure on; None takes those that calibration leaves over.
    annotations
        A CSV with a radiologist's scores of the measured radiographs.
    """

    calibration: Path | None = None
    images: Path | None = None
    annotations: Path | None = None


def gather_evidence(
    precision: str, where: EvidenceOptions, calibration: CalibrationOptions, bound: ScoreBound
) -> Evidence | None:
    """Read what a lower precision needs; float32 needs nothing.

    Raises
    ------
    CalibrationError
        There is no calibration, no image, or one of the files cannot be used.
    AnnotationsError
        The annotations, or a row of them, cannot be used.
    """
    if precision == FULL_PRECISION:
        return None
    if where.calibration is None:
        raise CalibrationError(
            "fp16 and int8 need measured ranges; give --calibration with a folder of chest "
            "radiographs, or with a table that `brixia-edge calibrate` wrote"
        )
    folders = [where.images] if where.images else []
    table = None
    if where.calibration.is_dir():
        folders.append(where.calibration)
    else:
        table = CalibrationTable.load(where.calibration)
    files = find_inputs([str(folder) for folder in folders], BytesIO()).files
    if not files:
        raise CalibrationError(
            "there is no radiograph to measure on; give a folder of chest radiographs that "
            "calibration did not use with --images"
        )
    annotations = _annotations(where.annotations)
    return Evidence(table, files, calibration, annotations, bound)


def _annotations(path: Path | None) -> Annotations:
    return read_annotations(path).scores_of_first_reader() if path else {}
