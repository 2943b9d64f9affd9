"""The coded concepts of the structured report.

Anatomy is coded in SNOMED CT, what DICOM defines in DCM (PS3.16 Annex D). No public scheme has the
Brixia score, so its concepts are private ones: PS3.16 8.2 reserves designators that begin with 99.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pydicom.sr.coding import Code

from ...scores import SCORES

SCHEME = "99BRIXIA"
"""Designator of the private coding scheme."""

SCHEME_NAME = "brixia-edge, Brixia score concepts"

ZONE_SCORE = Code("ZONE", SCHEME, "Brixia zone score")
EXPECTED_ZONE_SCORE = Code("ZONE-EXPECTED", SCHEME, "Expected Brixia zone score")
GLOBAL_SCORE = Code("GLOBAL", SCHEME, "Brixia global score")
EXPECTED_GLOBAL_SCORE = Code("GLOBAL-EXPECTED", SCHEME, "Expected Brixia global score")
PROBABILITIES = tuple(
    Code(f"PROBABILITY-{score}", SCHEME, f"Probability of Brixia zone score {score}")
    for score in SCORES
)
"""The probability that a zone has the score 0, 1, 2 or 3, in this order."""

SCORE_UNIT = Code("{score}", "UCUM", "score")
NO_UNIT = Code("1", "UCUM", "no units")

LUNG = Code("39607008", "SCT", "Lung")
ZONES_OF_LUNG: Mapping[str, Code] = MappingProxyType(
    {
        "upper": Code("281392002", "SCT", "Upper zone of lung"),
        "middle": Code("281393007", "SCT", "Middle zone of lung"),
        "lower": Code("281394001", "SCT", "Lower zone of lung"),
    }
)
"""By `Zone.level`."""

LATERALITIES: Mapping[str, Code] = MappingProxyType(
    {
        "right": Code("24028007", "SCT", "Right"),
        "left": Code("7771000", "SCT", "Left"),
    }
)
"""By `Zone.lung`."""

BILATERAL = Code("51440002", "SCT", "Bilateral")

IMAGING_PROCEDURE = Code("363679005", "SCT", "Imaging procedure")
"""What was reported. CID 100 has no radiograph of the chest; the image library tells the modality
and the finding sites the lungs."""

QUALITATIVE_EVALUATIONS = Code("C0034375", "UMLS", "Qualitative Evaluations")
COMMENT = Code("121106", "DCM", "Comment")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
