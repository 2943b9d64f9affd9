"""What scoring one file gives: a scored radiograph, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .contract import ALIGNMENT, LUNG_MASK, PROBABILITIES, ZONE_EVIDENCE
from .errors import BrixiaEdgeError, PredictionError
from .radiograph import Radiograph
from .scores import BrixiaScore

RESEARCH_USE = "RESEARCH USE ONLY - not for diagnostic use"
"""The line that accompanies every score that leaves the software."""


@dataclass(frozen=True)
class Prediction:
    """The network's outputs for one radiograph.

    Attributes
    ----------
    probabilities
        float32 ``[6, 4]``: zones A to F, softmax over the scores 0 to 3.
    lung_mask
        float32 ``[512, 512]``: probability of lung, in the frame of the network's input.
    alignment
        float32 ``[2, 3]``: the affine map from aligned coordinates (x, y, 1) in -1..1 to
        coordinates of the input: column ``(gx + 1) / 2 * 512``, row ``(gy + 1) / 2 * 512``.
    zone_evidence
        float32 ``[6, 4, 16, 16]``, the class logits before their spatial mean, or None when
        it was not asked for.
    """

    probabilities: NDArray[np.float32]
    lung_mask: NDArray[np.float32]
    alignment: NDArray[np.float32]
    zone_evidence: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, outputs: Mapping[str, NDArray[np.float32]], place: int = 0) -> "Prediction":
        """Take one radiograph's part of what a session gave for a batch, by its place there.

        Raises
        ------
        PredictionError
            Some of its numbers are not finite.
        """
        if broken := [name for name, each in outputs.items() if not np.isfinite(each[place]).all()]:
            raise PredictionError(
                f"the network gave {', '.join(broken)} with numbers that are not finite; give "
                "--backend onnxruntime: if that helps, report the backend and its version, else "
                "export the bundle again, or in another precision"
            )
        evidence = outputs.get(ZONE_EVIDENCE)
        return cls(
            probabilities=outputs[PROBABILITIES][place],
            lung_mask=outputs[LUNG_MASK][place, 0],
            alignment=outputs[ALIGNMENT][place],
            zone_evidence=None if evidence is None else evidence[place],
        )


@dataclass(frozen=True)
class Quality:
    """Whether a score can be relied on; each warning is one sentence with its reason."""

    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing speaks against the score."""
        return not self.warnings


@dataclass(frozen=True)
class Timing:
    """Wall-clock milliseconds spent on one radiograph."""

    read: float
    prepare: float
    infer: float
    total: float


NOT_TIMED = Timing(0, 0, 0, 0)
"""Of a score that nobody took the time of."""


EXACT, LIGHT = "exact", "light"
"""Variants of a network: as it was trained, or with a light decoder that was learned from it."""


def kind_of(precision: str, light: bool) -> str:
    """What stands beside a model's name wherever it is shown: ``int8``, or ``light, int8``."""
    return f"{LIGHT}, {precision}" if light else precision


@dataclass(frozen=True)
class ModelIdentity:
    """Which model gave a score.

    Attributes
    ----------
    name
        The bundle's name.
    precision
        ``fp32``, ``fp16`` or ``int8``.
    sha256
        Digest of the network's weights, in hexadecimal.
    variant
        ``exact`` or ``light``. Results of before there were light networks do not tell it, and are
        of exact ones.
    """

    name: str
    precision: str
    sha256: str
    variant: str = EXACT

    @property
    def is_light(self) -> bool:
        """Whether it is a light network."""
        return self.variant == LIGHT

    @property
    def kind(self) -> str:
        """See `kind_of`."""
        return kind_of(self.precision, self.is_light)


@dataclass(frozen=True)
class ScoringSettings:
    """On what a score depends, beside the file.

    Attributes
    ----------
    bundle
        The digest of the bundle, see `Bundle.digest`.
    backend
        What ran it.
    window
        See `ReadingOptions`.
    """

    bundle: str = ""
    backend: str = ""
    window: int | None = None


@dataclass(frozen=True)
class ScoredRadiograph:
    """A radiograph, its score, and all that a report may want to say about it.

    Attributes
    ----------
    file, radiograph, prediction, score, quality, model, timing
        What was scored, what came of it, by which model, in which time.
    settings
        With what it was scored.
    """

    file: Path
    radiograph: Radiograph
    prediction: Prediction
    score: BrixiaScore
    quality: Quality
    model: ModelIdentity
    timing: Timing
    settings: ScoringSettings = ScoringSettings()


@dataclass(frozen=True)
class UnscoredFile:
    """A file that could not be scored, and why."""

    file: Path
    error: BrixiaEdgeError
