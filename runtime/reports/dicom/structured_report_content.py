"""The content tree of the structured report: TID 1500 Measurement Report of PS3.16.

It follows from the result and the source image alone: the same score gives the same tree, with the
same unique identifiers in it.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from highdicom import UID
from highdicom.sr import (
    AlgorithmIdentification,
    ContainerContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.valuerep import DS

from ...authorship import SOFTWARE, software_version
from ...results import RESEARCH_USE, ModelIdentity, ScoredRadiograph
from ...scores import Zone, ZoneScore
from ..prior import PriorReport
from .previous_report_content import previous_findings
from .result import plain_text
from .source import Source
from .structured_report_codes import (
    ARTIFICIAL_INTELLIGENCE,
    BILATERAL,
    COMMENT,
    EXPECTED_GLOBAL_SCORE,
    EXPECTED_ZONE_SCORE,
    GLOBAL_SCORE,
    IMAGING_PROCEDURE,
    LATERALITIES,
    LUNG,
    NO_UNIT,
    PROBABILITIES,
    QUALITATIVE_EVALUATIONS,
    SCORE_UNIT,
    ZONE_SCORE,
    ZONES_OF_LUNG,
)
from .zone_region import zone_region

Group = MeasurementsAndQualitativeEvaluations | PlanarROIMeasurementsAndQualitativeEvaluations
"""Measurements of an image (TID 1501), or of a region of it (TID 1410)."""

_DIGITS = 6
"""After the decimal point: what the network computes beyond differs between machines."""


def measurement_report(
    result: ScoredRadiograph, source: Source, prior: PriorReport | None = None
) -> MeasurementReport:
    """Say a result in the terms of TID 1500.

    Parameters
    ----------
    result
        What to say.
    source
        The image it was made from, as `source.read_source` gives it.
    prior
        The patient's report before.

    Returns
    -------
    MeasurementReport
        Language, observer, procedure, image library, seven measurement groups (the zones A to F by
        TID 1410 with the region of the image that each was scored from, then the whole by
        TID 1501), comments: the research-use line, what makes the score unreliable, and what
        of the image's header is not in the report as it was there; and the score before.
    """
    image = source.dataset
    # One for all groups: to make it anew for each takes a fifth of the report's time.
    algorithm = _algorithm(result.model)
    groups = [_zone_group(item, result, image, algorithm) for item in result.score.zones]
    report = MeasurementReport(
        observation_context=_observer(),
        procedure_reported=IMAGING_PROCEDURE,
        imaging_measurements=[*groups, _global_group(result, image, algorithm)],
        referenced_images=[image],
    )
    content = report[0].ContentSequence
    content.append(_comments(result, source.remarks))
    if prior is not None:
        content.append(previous_findings(prior, result.settings.bundle))
    return report


def _observer() -> ObservationContext:
    """Name the software as the observer (TID 1001, TID 1004); no person has looked."""
    device = DeviceObserverIdentifyingAttributes(
        uid=_uid(f"device {software_version()}"),
        name=SOFTWARE,
        manufacturer_name=SOFTWARE,
        model_name=f"{SOFTWARE} {software_version()}",
    )
    context = ObserverContext(
        observer_type=codes.DCM.Device, observer_identifying_attributes=device
    )
    return ObservationContext(observer_device_context=context)


def _zone_group(
    item: ZoneScore, result: ScoredRadiograph, source: Dataset, algorithm: AlgorithmIdentification
) -> Group:
    probabilities = zip(PROBABILITIES, item.probabilities, strict=True)
    members = _members(
        f"Brixia zone {item.zone.value}",
        FindingSite(ZONES_OF_LUNG[item.zone.level], LATERALITIES[item.zone.lung]),
        [
            _measurement(ZONE_SCORE, item.score),
            _measurement(EXPECTED_ZONE_SCORE, item.expected),
            *(_measurement(name, value, NO_UNIT) for name, value in probabilities),
        ],
        algorithm,
        source,
    )
    region = _region(item.zone, result, source)
    if region is None:
        return _of_image(members, source)
    return PlanarROIMeasurementsAndQualitativeEvaluations(**members, referenced_region=region)


def _region(zone: Zone, result: ScoredRadiograph, source: Dataset) -> ImageRegion | None:
    """A zone's region of the image; None for one that lies beside it."""
    corners = zone_region(zone, result.prediction.alignment, source.Rows, source.Columns)
    if corners is None:
        return None
    image = SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID)
    return ImageRegion(GraphicTypeValues.POLYLINE, corners, image)


def _global_group(
    result: ScoredRadiograph, source: Dataset, algorithm: AlgorithmIdentification
) -> Group:
    measurements = [
        _measurement(GLOBAL_SCORE, result.score.global_score),
        _measurement(EXPECTED_GLOBAL_SCORE, result.score.expected_global),
    ]
    site = FindingSite(LUNG, BILATERAL)
    return _of_image(_members("Brixia global score", site, measurements, algorithm, source), source)


def _of_image(members: Mapping[str, Any], source: Dataset) -> Group:
    """A group about the image as a whole."""
    image = SourceImageForMeasurementGroup(source.SOPClassUID, source.SOPInstanceUID)
    return MeasurementsAndQualitativeEvaluations(**members, source_images=[image])


def _members(
    name: str,
    site: FindingSite,
    measurements: list[Measurement],
    algorithm: AlgorithmIdentification,
    source: Dataset,
) -> Mapping[str, Any]:
    """What groups of both templates have in common."""
    return {
        "tracking_identifier": TrackingIdentifier(_uid(f"{name} {source.SOPInstanceUID}"), name),
        "algorithm_id": algorithm,
        "finding_sites": [site],
        "measurements": measurements,
    }


def _algorithm(model: ModelIdentity) -> AlgorithmIdentification:
    """Name the model (TID 4019): what it is, by which software it ran, and which weights it has.

    Reports of exact networks stay as they were before there were light ones.
    """
    light = [f"variant {model.variant}"] if model.is_light else []
    return AlgorithmIdentification(
        name=plain_text(model.name),
        version=f"{SOFTWARE} {software_version()}",
        parameters=[
            *light,
            f"precision {plain_text(model.precision)}",
            f"weights sha256 {plain_text(model.sha256)}",
        ],
        family=ARTIFICIAL_INTELLIGENCE,
    )


def _measurement(name: Code, value: float, unit: Code = SCORE_UNIT) -> Measurement:
    rounded = round(value, _DIGITS)
    measurement = Measurement(name, rounded, unit)
    # highdicom writes every number with a decimal point: a score of 2 would be shown as 2.0.
    measurement[0].MeasuredValueSequence[0].NumericValue = DS(str(rounded))
    return measurement


def _comments(result: ScoredRadiograph, remarks: Sequence[str]) -> ContainerContentItem:
    container = ContainerContentItem(
        QUALITATIVE_EVALUATIONS, relationship_type=RelationshipTypeValues.CONTAINS
    )
    unreliable = [f"Unreliable: {plain_text(warning)}" for warning in result.quality.warnings]
    container.ContentSequence = ContentSequence(
        [
            TextContentItem(COMMENT, text, RelationshipTypeValues.CONTAINS)
            for text in (RESEARCH_USE, *unreliable, *(f"Header: {remark}" for remark in remarks))
        ]
    )
    return container


def _uid(name: str) -> UID:
    """Make the UID that belongs to a name, the same each time (PS3.5 B.2)."""
    return UID.from_uuid(str(uuid5(NAMESPACE_OID, f"{SOFTWARE} {name}")))
