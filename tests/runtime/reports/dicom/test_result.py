"""Names of what is made of a score: the same each time, another one for another model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from brixia_edge.runtime.reports.dicom.result import derived_uid, save_dicom
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


def test_a_file_that_cannot_be_written_is_told_with_its_reason_alone(
    scored_dicom: Callable[..., ScoredRadiograph], tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource", reason="limits of a process are POSIX's")
    capture = secondary_capture(Material(scored_dicom()))
    capture.PixelData = bytes(100_000)  # more than waits in memory
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        # pydicom puts the traceback into the message of an error that comes while it writes.
        with pytest.raises(OSError, match="File too large") as caught:
            save_dicom(capture, tmp_path / "capture.dcm")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.strerror == "File too large"
    assert not list(tmp_path.glob("capture*"))
