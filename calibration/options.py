"""What a calibration may choose."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..runtime.errors import CalibrationError
from ..runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode
from .choosing.survey import SurveyOptions
from .ranges.thresholds import PERCENTILE, check_method

IMAGES = 100
MINIMUM_IMAGES = 16
"""With fewer, ranges depend on the luck of the draw."""


@dataclass(frozen=True)
class CalibrationOptions:
    """What a calibration may choose.

    Attributes
    ----------
    method
        One of `METHODS`.
    percentile
        For the method ``percentile``: the share of values kept, of 100.
    images
        The most radiographs to choose.
    minimum
        The fewest to go on with.
    seed
        For the choice.
    allow_doubtful
        Use radiographs that scoring would warn of.
    tensors
        Names; None takes all that a quantiser may ask for.
    reading
        How files are read.

    Raises
    ------
    CalibrationError
        A value is not allowed.
    """

    method: str = "percentile"
    percentile: float = PERCENTILE
    images: int = IMAGES
    minimum: int = MINIMUM_IMAGES
    seed: int = 0
    allow_doubtful: bool = False
    tensors: Sequence[str] | None = None
    reading: ReadingMode = IN_THIS_PROCESS

    def __post_init__(self) -> None:
        check_method(self.method, self.percentile)
        if not 1 <= self.minimum <= self.images:
            raise CalibrationError(
                f"{self.images} images are to be chosen and at least {self.minimum} are needed; "
                "ask for more images, or lower the minimum (not below 1)"
            )
        if self.seed < 0:
            raise CalibrationError(f"the seed is {self.seed}; 0 and more is allowed")

    @property
    def survey(self) -> SurveyOptions:
        """What concerns the looking through."""
        return SurveyOptions(self.seed, self.allow_doubtful, self.reading)
