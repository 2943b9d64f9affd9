"""The part of a structured report that refers to the patient's report before.

It stands in a section of its own, "Previous Findings" (DCM 121068), and in no measurement group:
what lists a report's measurement groups would take an earlier score for one of this radiograph.
The report is the source of the score (INFERRED FROM, PS3.3 C.17.3.2.4). It is no predecessor
document (C.17.2.2): none of its content is amended here. It is listed as evidence as well
(C.17.2.3): of the current procedure where it is of the same study, else as Pertinent Other
Evidence.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from highdicom.sr import (
    CompositeContentItem,
    ContainerContentItem,
    ContentSequence,
    DateContentItem,
    NumContentItem,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import Comprehensive3DSRStorage
from pydicom.valuerep import DS

from ..prior import PriorReport
from .structured_report_codes import COMMENT, GLOBAL_SCORE, SCORE_UNIT

_PREVIOUS_FINDINGS = Code("121068", "DCM", "Previous Findings")
_SOURCE_REPORT = Code("128225", "DCM", "Source report")
_ACQUISITION_DATE = Code("126201", "DCM", "Acquisition Date")

OTHER_MODEL = "The previous score is of another model."
"""Stands beside a score that must not be compared without thought."""


def previous_findings(prior: PriorReport, bundle: str) -> ContainerContentItem:
    """Tell the score before, where it is told, and of which day it is.

    Parameters
    ----------
    prior
        The report before.
    bundle
        The digest of the bundle whose score this report tells.
    """
    container = ContainerContentItem(
        _PREVIOUS_FINDINGS, relationship_type=RelationshipTypeValues.CONTAINS
    )
    contains = RelationshipTypeValues.CONTAINS
    other = [] if prior.bundle == bundle else [TextContentItem(COMMENT, OTHER_MODEL, contains)]
    container.ContentSequence = ContentSequence([_score(prior), *other])
    return container


def _score(prior: PriorReport) -> NumContentItem:
    score = NumContentItem(
        GLOBAL_SCORE, prior.global_score, SCORE_UNIT, None, RelationshipTypeValues.CONTAINS
    )
    # highdicom would write 7.0.
    score.MeasuredValueSequence[0].NumericValue = DS(str(prior.global_score))
    report = CompositeContentItem(
        _SOURCE_REPORT,
        Comprehensive3DSRStorage,
        prior.sop_instance_uid,
        RelationshipTypeValues.INFERRED_FROM,
    )
    score.ContentSequence = ContentSequence([*_day(prior.acquired), report])
    return score


def _day(acquired: str) -> Iterator[DateContentItem]:
    """When it was taken; nothing of a header whose date does not exist."""
    with suppress(ValueError):
        day = date.fromisoformat(acquired[:10])
        yield DateContentItem(_ACQUISITION_DATE, day, RelationshipTypeValues.HAS_OBS_CONTEXT)


def as_evidence(prior: PriorReport) -> Dataset:
    """The report before, as highdicom takes evidence."""
    evidence = Dataset()
    evidence.StudyInstanceUID = prior.study_uid
    evidence.SeriesInstanceUID = prior.series_uid
    evidence.SOPInstanceUID = prior.sop_instance_uid
    evidence.SOPClassUID = Comprehensive3DSRStorage
    return evidence
