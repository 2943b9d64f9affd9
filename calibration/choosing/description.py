"""What can be told of one radiograph before it is chosen: nothing that needs an annotation."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...runtime.backends.base import Session
from ...runtime.contract import SCORE_OUTPUTS
from ...runtime.errors import UnreadableImage
from ...runtime.files import digest, digest_file, why
from ...runtime.quality.measures import brightness, lung_share
from ...runtime.quality.quality import assess_quality
from ...runtime.results import Prediction
from ...runtime.scores import BrixiaScore
from ...runtime.sources.source import PreparedRadiograph

HASH_SIDE = 16
"""Rows and columns of the picture that `average_hash` compares."""


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
    probabilities
        float32 ``[6, 4]``: what the network gives.
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
    probabilities: NDArray[np.float32]
    doubts: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Modality and projection in one text."""
        return f"{self.modality} {self.projection}"


def describe(prepared: PreparedRadiograph, session: Session) -> Description:
    """Score one radiograph, exactly as scoring does.

    Parameters
    ----------
    prepared
        A file that was read and prepared as the network wants it.
    session
        Of the float32 network.

    Raises
    ------
    UnreadableImage
        The file can no longer be opened.
    PredictionError
        The network's outputs are not finite.
    """
    radiograph, image = prepared.radiograph, prepared.image
    prediction = Prediction.of(session.run(image, SCORE_OUTPUTS))
    score = BrixiaScore.from_probabilities(prediction.probabilities)
    return Description(
        file=prepared.file,
        sha256=_digest(prepared.file),
        prepared_sha256=digest(image.tobytes()),
        average_hash=average_hash(image[0, 0]),
        modality=radiograph.modality or radiograph.format,
        projection=radiograph.projection or "unknown",
        severity=score.expected_global,
        global_score=score.global_score,
        brightness=brightness(radiograph),
        contrast=float(radiograph.pixels.std()),
        lung_area=lung_share(prediction.lung_mask),
        probabilities=prediction.probabilities,
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


def _digest(file: Path) -> str:
    try:
        return digest_file(file)
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {why(error)}") from error
