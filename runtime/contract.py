"""The network's contract: what every bundle's network takes and gives, whatever its precision.

Exporting writes networks that keep it, backends run them, and all that is drawn or judged reads it
from here. Every tensor is float32, with the batch first.
"""

from collections.abc import Mapping

from .scores import SCORES, Zone

IMAGE = "image"
"""The input: ``[N, 1, 512, 512]``, 0..1, as `preparation.preprocess` makes it."""

INPUT_SIZE = 512
"""Rows and columns of the input, pixels."""

PROBABILITIES = "probabilities"
"""Softmax over the scores 0 to 3: ``[N, 6, 4]``, zones A to F."""

LUNG_MASK = "lung_mask"
"""Probability of lung: ``[N, 1, 512, 512]``, in the frame of the input."""

ALIGNMENT = "alignment"
"""The affine map from aligned to input coordinates: ``[N, 2, 3]``; see `results.Prediction`."""

ZONE_EVIDENCE = "zone_evidence"
"""The class logits before their spatial mean: ``[N, 6, 4, 16, 16]``."""

EVIDENCE_SIZE = 16
"""Rows and columns of a zone's grid of logits."""

OUTPUTS: Mapping[str, tuple[int, ...]] = {
    PROBABILITIES: (len(Zone), len(SCORES)),
    LUNG_MASK: (1, INPUT_SIZE, INPUT_SIZE),
    ALIGNMENT: (2, 3),
    ZONE_EVIDENCE: (len(Zone), len(SCORES), EVIDENCE_SIZE, EVIDENCE_SIZE),
}
"""Every output by its name, with its shape for one radiograph."""

SCORE_OUTPUTS = (PROBABILITIES, LUNG_MASK, ALIGNMENT)
"""The outputs that a score and its quality need."""

LUNG_THRESHOLD = 0.5
"""Above it a pixel of the lung mask is taken for lung."""

ROW_BANDS: Mapping[str, tuple[float, float]] = {
    "upper": (0.0, 0.4),
    "middle": (0.3, 0.7),
    "lower": (0.6, 1.0),
}
"""A zone's rows by its level, as fractions of the aligned image's height.

Neighbours in a lung overlap by a tenth of it, as BS-Net was built.
"""

COLUMN_BANDS: Mapping[str, tuple[float, float]] = {"right": (0.0, 0.5), "left": (0.5, 1.0)}
"""A zone's columns by the patient's lung, as fractions of the width: the right lung lies left."""
