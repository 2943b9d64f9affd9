"""Writing explanations: a picture for people, arrays for programs."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ..files import staged, write_file
from ..reports.drawing import as_png
from ..results import RESEARCH_USE
from .explanation import Explanation
from .panel import explanation_panel


def write_png(explanation: Explanation, path: Path) -> None:
    """Draw the panel and save it.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    write_file(path, as_png(explanation_panel(explanation)), overwrite=True)


def write_npz(explanation: Explanation, path: Path) -> None:
    """Save the maps and what is needed to use them, for `numpy.load`; nothing is pickled.

    ``zone_maps`` float32 ``[6, 512, 512]``, ``combined`` float32 ``[512, 512]`` and
    ``combined_zone`` int64 ``[512, 512]`` (see `Explanation`), ``zone_scores`` int64 ``[6]``,
    ``probabilities`` float32 ``[6, 4]``, ``alignment`` float32 ``[2, 3]``, ``shape`` int64 ``[2]``
    (rows and columns of the radiograph), and as text ``method``, ``unit``, ``model``,
    ``precision``, ``weights_sha256``, ``variant`` and ``notice``. No patient data, no file name.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    result, (strength, zones) = explanation.result, explanation.combined()
    with staged(path, overwrite=True) as file:
        np.savez_compressed(
            file,
            zone_maps=explanation.zone_maps,
            combined=strength,
            combined_zone=zones,
            zone_scores=np.array(explanation.scores),
            probabilities=result.prediction.probabilities,
            alignment=result.prediction.alignment,
            shape=np.array((result.radiograph.rows, result.radiograph.columns)),
            method=explanation.method,
            unit=explanation.unit,
            model=result.model.name,
            precision=result.model.precision,
            weights_sha256=result.model.sha256,
            variant=result.model.variant,
            notice=RESEARCH_USE,
        )


WRITERS: Mapping[str, Callable[[Explanation, Path], None]] = {"png": write_png, "npz": write_npz}
"""Each form by its name, which is its suffix, too."""
