"""The worst and best cases in pictures: where the network looked, and what it went by."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .....runtime.authorship import signed_jpeg
from .....runtime.bundles.bundle import Bundle
from .....runtime.explanation.explainer import NEEDED_OUTPUTS, explain
from .....runtime.explanation.explanation import Explanation
from .....runtime.explanation.panel import explanation_panel
from .....runtime.reports.overlay import overlay_picture
from .....runtime.scorer import Scorer
from .....runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode
from ...results import Case, EvaluatedBundle
from ..provenance_tables import zones_told

_LONG_SIDE = 1300  # pixels; the explanation's small print stays legible at the page's width
_JPEG_QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """A picture inside a page.

    Attributes
    ----------
    title
        What it shows.
    source
        A ``data:`` address that holds the picture.
    width, height
        Pixels.
    """

    title: str
    source: str
    width: int
    height: int


@dataclass(frozen=True)
class CaseView:
    """One case: a heading, a sentence, pictures."""

    title: str
    told: str
    pictures: tuple[Picture, ...]


def view_cases(
    evaluated: EvaluatedBundle,
    bundle: Bundle,
    root: Path,
    reading: ReadingMode = IN_THIS_PROCESS,
) -> Iterator[CaseView]:
    """Score a bundle's worst and best cases once more, and draw them.

    Parameters
    ----------
    evaluated
        Names the cases.
    bundle
        The same bundle, opened.
    root
        The folder of images.
    reading
        How files are read.

    Raises
    ------
    BrixiaEdgeError
        An image can no longer be scored.
    """
    backend = evaluated.backend
    with Scorer(bundle, backend, outputs=NEEDED_OUTPUTS, reading=reading) as scorer:
        for which, cases in (("Worst", evaluated.worst), ("Best", evaluated.best)):
            for number, case in enumerate(cases, 1):
                title = f"{which} {number} of {evaluated.label}: {case.file}"
                yield _view(title, case, explain(scorer, root / case.file))


def _view(title: str, case: Case, explanation: Explanation) -> CaseView:
    told = (
        f"Radiologist {zones_told(case.reference)}; network {zones_told(case.score)}; "
        f"off by {case.global_error:g}."
    )
    pictures = (
        picture(overlay_picture(explanation.result), f"{case.file}: lungs, zones and scores"),
        picture(explanation_panel(explanation), f"{case.file}: what speaks for the scores"),
    )
    return CaseView(title, told, pictures)


def picture(pixels: NDArray[np.uint8], title: str) -> Picture:
    """Pack a picture, uint8 ``[rows, columns, 3]`` in OpenCV's order, into an address."""
    factor = min(1.0, _LONG_SIDE / max(pixels.shape[:2]))
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    reduced = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", reduced, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    content = base64.b64encode(signed_jpeg(encoded.tobytes())).decode("ascii")
    return Picture(title, f"data:image/jpeg;base64,{content}", *size)
