"""What can be told of one radiograph before it is chosen: nothing that needs an annotation."""

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...runtime.backends.base import Session
from ...runtime.contract import LUNG_THRESHOLD, SCORE_OUTPUTS
from ...runtime.errors import UnreadableImage
from ...runtime.files import digest
from ...runtime.preparation.preprocess import PreprocessSpec, preprocess
from ...runtime.quality.quality import assess_quality
from ...runtime.radiograph import Radiograph
from ...runtime.reading.dicom.file import parse_dicom
from ...runtime.reading.dicom.header import Header, refusing_damage, silence
from ...runtime.reading.read import read_radiograph
from ...runtime.results import Prediction
from ...runtime.scores import BrixiaScore

HASH_SIDE = 16
"""Rows and columns of the picture that `average_hash` compares."""

_BEDSIDE = re.compile(r"PORTABLE|BEDSIDE|MOBILE|BEDRIDDEN|A LETTO")
_BEDSIDE_TEXTS = (
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "PerformedProcedureStepDescription",
    "AcquisitionDeviceProcessingDescription",
)


@dataclass(frozen=True)
class Description:
    """One radiograph, as far as choosing needs it.

    Attributes
    ----------
    file
        Where it lies.
    sha256
        Of the file's content.
    prepared_sha256
        Of the network's input: equal for copies in other files.
    average_hash
        bool ``[256]``; see `average_hash`.
    modality
        ``CR``, ``DX`` or ``other`` of a DICOM file; else ``PNG`` or ``JPEG``.
    projection
        ``bedside``, ``AP``, ``PA`` or ``unknown``, as the DICOM file says.
    severity
        The global score that this network expects, 0.0 to 18.0.
    global_score
        The global score that this network gives, 0 to 18.
    brightness, contrast
        Mean and standard deviation of the picture before preparation, 0.0 to 1.0.
    lung_area
        Share of the picture that the network takes for lung.
    doubts
        What speaks against using it, one sentence each.
    """

    file: Path
    sha256: str
    prepared_sha256: str
    average_hash: NDArray[np.bool_]
    modality: str
    projection: str
    severity: float
    global_score: int
    brightness: float
    contrast: float
    lung_area: float
    doubts: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Modality and projection in one text."""
        return f"{self.modality} {self.projection}"


def describe(file: Path, session: Session, spec: PreprocessSpec) -> Description:
    """Read, prepare and score one radiograph, exactly as scoring does.

    Parameters
    ----------
    file
        DICOM, PNG or JPEG.
    session
        Of the float32 network.
    spec
        Its preparation.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge
        The file cannot be scored.
    PredictionError
        The network's outputs are not finite.
    """
    radiograph = read_radiograph(file)
    image = preprocess(radiograph, spec)
    prediction = Prediction.of(session.run(image, SCORE_OUTPUTS))
    content = _content(file)
    modality, projection = _origin(radiograph, content)
    score = BrixiaScore.from_probabilities(prediction.probabilities)
    return Description(
        file=file,
        sha256=digest(content),
        prepared_sha256=digest(image.tobytes()),
        average_hash=average_hash(image[0, 0]),
        modality=modality,
        projection=projection,
        severity=score.expected_global,
        global_score=score.global_score,
        brightness=float(radiograph.pixels.mean()),
        contrast=float(radiograph.pixels.std()),
        lung_area=float(np.mean(prediction.lung_mask > LUNG_THRESHOLD)),
        doubts=assess_quality(radiograph, image, prediction).warnings,
    )


def average_hash(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell where a picture, shrunk to 16 by 16, is brighter than its median.

    Pictures of the same radiograph that were compressed again, resized or made brighter differ in
    few of the 256 places, other radiographs in many; see `selection.SAME_RADIOGRAPH`.
    """
    shrunk = cv2.resize(image, (HASH_SIDE, HASH_SIDE), interpolation=cv2.INTER_AREA)
    small: NDArray[np.float32] = np.asarray(shrunk, np.float32).ravel()
    return small > np.median(small)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from error


def _origin(radiograph: Radiograph, content: bytes) -> tuple[str, str]:
    if radiograph.format != "DICOM":
        return radiograph.format, "unknown"
    with silence(), refusing_damage("the content"):
        header = parse_dicom(content).header
        modality = header.text("Modality")
        return modality if modality in ("CR", "DX") else "other", _projection(header)


def _projection(header: Header) -> str:
    """Tell how the radiograph was taken; tags lie, so the plainest statement comes first."""
    if any(_BEDSIDE.search(header.text(keyword)) for keyword in _BEDSIDE_TEXTS):
        return "bedside"
    view = header.text("ViewPosition")
    return view if view in ("AP", "PA") else "unknown"
