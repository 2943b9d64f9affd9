"""The Secondary Capture shows the overlay as it is, is valid, and lands in the patient's study."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.reports.dicom.secondary_capture import (
    secondary_capture,
    write_secondary_capture,
)
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.reports.overlay import overlay_picture
from brixia_edge.runtime.results import ScoredRadiograph
from dicom_sources import GOOD, NASTY, UIDS, complaints, read, said_by

Scored = Callable[..., ScoredRadiograph]


@pytest.fixture
def written(scored_dicom: Scored, tmp_path: Path) -> Callable[..., Path]:
    """Write the capture of a radiograph with the given header."""

    def write(*arguments: object, **how: object) -> Path:
        path = tmp_path / "result-capture.dcm"
        write_secondary_capture(Material(scored_dicom(*arguments, **how)), path)
        return path

    return write


def test_dcmtk_shows_the_overlay(
    scored_dicom: Scored, written: Callable[..., Path], tmp_path: Path
) -> None:
    program = shutil.which("dcm2pnm")
    if program is None:
        pytest.skip("dcm2pnm is not installed (Debian: dcmtk)")
    shown = tmp_path / "shown.ppm"
    subprocess.run([program, str(written()), str(shown)], check=True)
    picture = cv2.imread(str(shown), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(picture, overlay_picture(scored_dicom()))


def test_it_is_filed_in_the_study_of_the_image(written: Callable[..., Path]) -> None:
    capture = read(written())
    for keyword, stored in GOOD.items():
        assert isinstance(stored, bytes)
        assert str(capture[keyword].value) == stored.decode().strip()
    assert capture.StudyInstanceUID == UIDS["StudyInstanceUID"].decode()
    assert capture.SeriesInstanceUID != UIDS["SeriesInstanceUID"].decode()
    (source,) = capture.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == UIDS["SOPInstanceUID"].decode()
    assert source.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.1"


def test_it_says_what_it_is(written: Callable[..., Path]) -> None:
    capture = read(written({"LossyImageCompression": b"01"}))
    assert capture.file_meta.TransferSyntaxUID.name == "Explicit VR Little Endian"
    assert capture.file_meta.MediaStorageSOPInstanceUID == capture.SOPInstanceUID
    assert capture.SOPClassUID.name == "Secondary Capture Image Storage"
    assert capture.ConversionType == "WSD"
    assert capture.BurnedInAnnotation == "YES"
    assert capture.LossyImageCompression == "01"
    assert "0123456789abcdef" * 4 in capture.DerivationDescription
    for text in (capture.SeriesDescription, capture.ImageComments):
        assert "RESEARCH USE ONLY - not for diagnostic use" in text


def test_it_tells_that_a_network_is_light(scored_dicom: Scored) -> None:
    exact = scored_dicom()
    light = replace(exact, model=replace(exact.model, variant="light"))
    capture, of_exact = (secondary_capture(Material(result)) for result in (light, exact))
    assert "light network, weights sha256 0123" in capture.DerivationDescription
    assert "light" not in of_exact.DerivationDescription
    assert capture.PixelData != of_exact.PixelData, "the picture tells it, too"


def test_a_second_run_makes_the_same_instance(written: Callable[..., Path]) -> None:
    first, second = read(written()), read(written())
    assert first.PixelData == second.PixelData
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert first[keyword].value == second[keyword].value


@pytest.mark.parametrize("name", ["good", *NASTY])
def test_dciodvfy_finds_no_error(written: Callable[..., Path], name: str) -> None:
    path = written(NASTY.get(name))
    assert "SCImage" in said_by("dciodvfy", path)
    assert complaints("dciodvfy", path) == []
