"""One stage of the way from stored values to shades, worked out for each code."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Present = NDArray[np.bool_]
"""bool ``[2**bits_stored]``: which codes occur in the image, padding left out."""


@dataclass(frozen=True)
class Stage:
    """One stage of the way.

    Attributes
    ----------
    values
        float64 ``[2**bits_stored]``: the value of each code after the stage.
    steps
        What was done, one sentence each.
    warnings
        What was doubtful about it.
    name
        What the picture is after it, in a few words.
    """

    values: Values
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    name: str = ""
