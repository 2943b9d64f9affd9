"""About how long an export to a lower precision takes on this machine."""

from ...calibration.duration import calibration_runs, seconds_an_image
from .evidence import Evidence

_BUILDING = 12
"""Building the network and comparing it, in runs of the float32 network."""

_MEASURING = {"fp16": 1.5, "int8": 0.8}
"""To measure an image in this precision (INT8 in both its forms), in the same runs."""


def export_runs(precision: str, evidence: Evidence) -> float:
    """How many runs of the float32 network the work takes as long as.

    Ranking layers, which is needed only where INT8 breaks the bound, is not counted.
    """
    files = len(evidence.files)
    if evidence.table is not None:
        # Measured in float32 as well, and looked through for the reference histograms.
        return _BUILDING + files * (1 + 1.5 * _MEASURING[precision])
    chosen = min(evidence.calibration.images, files)
    return _BUILDING + calibration_runs(files, chosen) + (files - chosen) * _MEASURING[precision]


def export_seconds(precision: str, evidence: Evidence) -> float:
    """About how long the export takes, in seconds, without engines.

    Raises
    ------
    BackendUnavailable
        ONNX Runtime cannot run a convolution.
    """
    return export_runs(precision, evidence) * seconds_an_image()
