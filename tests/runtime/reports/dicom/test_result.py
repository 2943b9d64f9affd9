"""Names of what is made of a score: the same each time, another one for another model."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from brixia_edge.runtime.reports.dicom.result import derived_uid
from brixia_edge.runtime.reports.dicom.secondary_capture import secondary_capture
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.results import ScoredRadiograph, ScoringSettings
from pydicom.uid import UID


def test_an_answer_made_again_is_the_same_object(
    scored_dicom: Callable[..., ScoredRadiograph],
) -> None:
    module = pytest.importorskip("brixia_edge.runtime.reports.dicom.structured_report")
    result = replace(scored_dicom(), settings=ScoringSettings("ab" * 32))
    for make in (module.structured_report, secondary_capture):
        first, again = make(Material(result)), make(Material(result))
        other = make(Material(replace(result, settings=ScoringSettings("cd" * 32))))
        assert first.SOPInstanceUID == again.SOPInstanceUID != other.SOPInstanceUID
        assert first.SeriesInstanceUID == again.SeriesInstanceUID != other.SeriesInstanceUID
        assert first.SOPInstanceUID != first.SeriesInstanceUID


def test_names_are_valid_and_differ_by_image_and_kind(
    scored_dicom: Callable[..., ScoredRadiograph],
) -> None:
    result = scored_dicom()
    names = {derived_uid(result, uid, what) for uid in ("1.2", "1.3") for what in ("SR", "capture")}
    assert len(names) == 4
    assert all(UID(name).is_valid and name.startswith("2.25.") for name in names)
