"""Zone evidence: how much each place of a zone speaks for the zone's score.

The network gives every zone a grid of class logits and takes their mean, so the mean of anything
linear in them is the same thing of the zone's own logits. What is shown is

    evidence = logit of the predicted score - weighted mean of the other scores' logits,

the weights being the others' probabilities, divided by their sum. This is the first-order
change of the predicted score's log odds: a place where it is 1 adds 1/256 to them. Its mean over
the grid is the log odds of the predicted score, plus the entropy (in nats) of the weights.
"""

import numpy as np
from numpy.typing import NDArray

from ..results import ScoredRadiograph
from .explanation import Explanation
from .zone_maps import lay_on_input

EVIDENCE = "evidence"
_UNIT = "evidence for the score against the others, in log odds (a zone has the mean of its places)"


def explain_by_evidence(result: ScoredRadiograph) -> Explanation:
    """Lay the zone evidence of a scored radiograph over it.

    Raises
    ------
    ValueError
        The score was made without `zone_evidence`; ask the `Scorer` for that output.
    """
    prediction = result.prediction
    if prediction.zone_evidence is None:
        raise ValueError("the prediction has no zone_evidence; give Scorer(outputs=...) its name")
    grids = contrast(prediction.zone_evidence, prediction.probabilities)
    return Explanation(result, EVIDENCE, _UNIT, lay_on_input(grids, prediction.alignment))


def contrast(
    zone_evidence: NDArray[np.float32], probabilities: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Reduce the logits of four scores to the evidence for the one that was given.

    Parameters
    ----------
    zone_evidence
        float32 ``[6, 4, 16, 16]``.
    probabilities
        float32 ``[6, 4]``.

    Returns
    -------
    NDArray[np.float32]
        float32 ``[6, 16, 16]``; see the module.
    """
    predicted = np.eye(probabilities.shape[1])[probabilities.argmax(axis=1)]
    # A tiny share for each, so that a score without any doubt has others to be compared with.
    others = np.where(predicted, 0.0, probabilities.astype(np.float64) + 1e-12)
    weights = predicted - others / others.sum(axis=1, keepdims=True)
    return np.einsum("zs,zsij->zij", weights, zone_evidence).astype(np.float32)
