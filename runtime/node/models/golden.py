"""Golden images: what a bundle must score on this machine before it is used.

A bundle may bring its own: ``golden/scores.json`` names files beside it with their zones' scores,
as ``{"image.png": {"A": 0, ...}}``, all of them listed in its manifest. Where it brings none, a
drawn radiograph shows that it runs at all and gives finite numbers.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...bundles.bundle import Bundle
from ...contract import INPUT_SIZE
from ...documents import map_of, read_document, whole
from ...errors import BundleError
from ...files import write_file
from ...scores import SCORES, Zone
from ..scoring.process import ScoringCrashed, ScoringProcess, ScoringSettings

GOLDEN = "golden/scores.json"
"""Their scores, in a bundle."""

_DRAWN = "drawn.png"

_SCHEMA = map_of(map_of(whole(SCORES[0], SCORES[-1]), len(Zone)), 1000)
"""Of their scores; which zones and which files is checked with the bundle at hand."""


@dataclass(frozen=True)
class GoldenImage:
    """An image, and the scores that it must have; None where any will do."""

    path: Path
    zones: Mapping[str, int] | None


def golden_images(bundle: Bundle, folder: Path) -> list[GoldenImage]:
    """The bundle's own golden images, or a drawn one that is written into a folder.

    Raises
    ------
    BundleError
        The bundle's are damaged.
    """
    if GOLDEN not in bundle.manifest.files:
        path = folder / _DRAWN
        write_file(path, drawn_radiograph(), overwrite=True)
        return [GoldenImage(path, None)]
    advice = "it is damaged: export the bundle again"
    entries = read_document(bundle.root / GOLDEN, _SCHEMA, BundleError, advice)
    return [_golden(bundle, name, zones) for name, zones in entries.items()]


def _golden(bundle: Bundle, name: str, zones: Any) -> GoldenImage:
    member = f"golden/{name}"
    if member not in bundle.manifest.files:
        raise BundleError(f"{GOLDEN} names {name!r}, which the bundle's manifest does not list")
    if {*zones} != {zone.value for zone in Zone}:
        raise BundleError(f"{GOLDEN}: {name!r} needs a score of 0 to 3 for each of the six zones")
    return GoldenImage(bundle.root / member, zones)


def drawn_radiograph() -> bytes:
    """Two dark lungs on a bright chest, as PNG."""
    picture = np.full((INPUT_SIZE, INPUT_SIZE), 190, np.uint8)
    for centre in (160, 352):
        cv2.ellipse(picture, (centre, 260), (85, 170), 0, 0, 360, (60.0,), cv2.FILLED)
    # Not by `reports.drawing.as_png`: what that writes is marked as ours, and never scored.
    return cv2.imencode(".png", cv2.GaussianBlur(picture, (0, 0), 9))[1].tobytes()


def score_golden(bundle: Bundle, settings: ScoringSettings, folder: Path) -> int:
    """Score a bundle's golden images as the node would; how many.

    Parameters
    ----------
    bundle
        The bundle.
    settings
        Backend and threads of the node, on this bundle.
    folder
        For a drawn image.

    Raises
    ------
    BundleError
        One is not scored, or otherwise than it must.
    BackendUnavailable
        The backend does not take the bundle.
    """
    images = golden_images(bundle, folder)
    with _scoring(settings) as process:
        for image in images:
            _compare(image, _scored(process, image.path))
    return len(images)


@contextmanager
def _scoring(settings: ScoringSettings) -> Generator[ScoringProcess]:
    process = ScoringProcess(settings)
    try:
        yield process
    finally:
        process.end()


def _scored(process: ScoringProcess, path: Path) -> Mapping[str, int]:
    try:
        found = process.score(path)
    except ScoringCrashed as error:
        raise BundleError(f"the bundle ends the process that scores {path.name}: {error}") from None
    if "score" not in found:
        told = found.get("error", {}).get("message", "the disk is full")
        raise BundleError(f"the bundle does not score {path.name}: {told}")
    return found["score"]["zones"]


def _compare(image: GoldenImage, zones: Mapping[str, int]) -> None:
    if image.zones is not None and dict(zones) != dict(image.zones):
        wrong = ", ".join(
            f"{zone} is {zones[zone]}, not {image.zones[zone]}"
            for zone in image.zones
            if zones[zone] != image.zones[zone]
        )
        raise BundleError(f"the bundle scores {image.path.name} otherwise than it must: {wrong}")
