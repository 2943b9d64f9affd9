"""A report refers to the patient's report before, as evidence and in a section of its own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom.sr
import pytest
from brixia_edge.runtime.reports.dicom.structured_report import write_structured_report
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.reports.prior import PriorReport
from brixia_edge.runtime.results import ScoredRadiograph, ScoringSettings
from dicom_sources import UIDS, complaints, read, said_by
from pydicom.dataset import Dataset

_sr: Any = highdicom.sr  # pyright cannot tell all of its types

PRIOR = PriorReport("1.2.840.98", "2.25.71", "2.25.72", "ab" * 32, 7, "2020-01-29T08:00:00")


@pytest.fixture
def written(
    scored_dicom: Callable[..., ScoredRadiograph], tmp_path: Path
) -> Callable[[PriorReport], Path]:
    def write(prior: PriorReport) -> Path:
        result = replace(scored_dicom(), settings=ScoringSettings("ab" * 32))
        path = tmp_path / "result-sr.dcm"
        write_structured_report(Material(result, prior), path)
        return path

    return write


def section(report: Dataset) -> list[Dataset]:
    (found,) = (
        item
        for item in report.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeValue == "121068"
    )
    return list(found.ContentSequence)


def references(sequence: Any) -> list[tuple[str, str, str]]:
    return [
        (study.StudyInstanceUID, series.SeriesInstanceUID, each.ReferencedSOPInstanceUID)
        for study in sequence
        for series in study.ReferencedSeriesSequence
        for each in series.ReferencedSOPSequence
    ]


def test_it_holds_the_score_its_day_and_the_report(written: Callable[..., Path]) -> None:
    (score,) = section(read(written(PRIOR)))
    assert str(score.MeasuredValueSequence[0].NumericValue) == "7"
    day, report = score.ContentSequence
    assert (day.RelationshipType, str(day.Date)) == ("HAS OBS CONTEXT", "20200129")
    assert (report.RelationshipType, report.ValueType) == ("INFERRED FROM", "COMPOSITE")
    assert report.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "2.25.72"


def test_a_report_of_another_study_is_pertinent_other_evidence(
    written: Callable[..., Path],
) -> None:
    report = read(written(PRIOR))
    (image,) = references(report.CurrentRequestedProcedureEvidenceSequence)
    assert image[2] == UIDS["SOPInstanceUID"].decode()
    others = references(report.PertinentOtherEvidenceSequence)
    assert others == [("1.2.840.98", "2.25.71", "2.25.72")]
    assert "PredecessorDocumentsSequence" not in report


def test_a_report_of_the_same_study_is_evidence_of_the_current_procedure(
    written: Callable[..., Path],
) -> None:
    report = read(written(replace(PRIOR, study_uid=UIDS["StudyInstanceUID"].decode())))
    assert len(references(report.CurrentRequestedProcedureEvidenceSequence)) == 2
    assert "PertinentOtherEvidenceSequence" not in report


def test_a_score_of_another_model_is_said_to_be_one(written: Callable[..., Path]) -> None:
    _, comment = section(read(written(replace(PRIOR, bundle="cd" * 32))))
    assert comment.TextValue == "The previous score is of another model."


def test_a_day_that_does_not_exist_is_left_out(written: Callable[..., Path]) -> None:
    (score,) = section(read(written(replace(PRIOR, acquired="2020-19-39"))))
    assert [item.ValueType for item in score.ContentSequence] == ["COMPOSITE"]


def test_it_is_no_measurement_of_this_radiograph(written: Callable[..., Path]) -> None:
    content = _sr.srread(written(PRIOR)).content
    groups = (*content.get_planar_roi_measurement_groups(), *content.get_image_measurement_groups())
    scores = [
        item.value
        for group in groups
        for item in group.get_measurements()
        if item.name.meaning == "Brixia global score"
    ]
    assert scores == [9]


def test_validators_find_no_error(written: Callable[..., Path]) -> None:
    for path in (written(PRIOR), written(replace(PRIOR, bundle="cd" * 32, acquired="2020-19-39"))):
        assert complaints("dciodvfy", path) == []
    said = said_by("DicomSRValidator", written(PRIOR))
    assert "Found Root Template TID_1500" in said
    assert [line for line in said.splitlines() if "Error" in line] == []
