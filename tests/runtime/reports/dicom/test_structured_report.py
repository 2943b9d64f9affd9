"""The structured report says what was scored, is valid, and lands in the patient's study."""

import logging
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom.sr
import pytest
from brixia_edge.runtime.errors import MissingExtra
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.reports.dicom.structured_report import write_structured_report
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.results import ModelIdentity, ScoredRadiograph
from dicom_sources import GOOD, NASTY, UIDS, complaints, read, said_by
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

_sr: Any = highdicom.sr  # pyright cannot tell all of its types
Scored = Callable[..., ScoredRadiograph]

WARNINGS = ("The lungs found cover 12% of the image; 15 to 60% is plausible.", "Second.")

# Zone by zone as the fixture `make_result` scores them: SNOMED CT codes of zone and side, score.
ZONES = {
    "A": ("281392002", "24028007", 0),
    "B": ("281393007", "24028007", 1),
    "C": ("281394001", "24028007", 2),
    "D": ("281392002", "7771000", 3),
    "E": ("281393007", "7771000", 2),
    "F": ("281394001", "7771000", 1),
}


@pytest.fixture
def written(scored_dicom: Scored, tmp_path: Path) -> Callable[..., Path]:
    """Write the report of a radiograph with the given header."""

    def write(*arguments: object, **how: object) -> Path:
        path = tmp_path / "result-sr.dcm"
        write_structured_report(Material(scored_dicom(*arguments, **how)), path)
        return path

    return write


def items(item: Dataset, name: str) -> Iterator[Dataset]:
    """The content items below another one whose concept has a name, in their order."""
    for child in item.get("ContentSequence", ()):
        if child.ConceptNameCodeSequence[0].CodeMeaning == name:
            yield child
        yield from items(child, name)


def number(item: Dataset, name: str) -> float:
    (found,) = items(item, name)
    return float(found.MeasuredValueSequence[0].NumericValue)


def groups(report: Dataset) -> dict[str, Dataset]:
    """The measurement groups by what they track."""
    return {
        next(items(group, "Tracking Identifier")).TextValue: group
        for group in items(report, "Measurement Group")
    }


def root_of(report: Dataset) -> Dataset:
    """The root of the content tree, with all below it."""
    root = Dataset()
    for keyword in ("ConceptNameCodeSequence", "ContentTemplateSequence", "ContentSequence"):
        root[keyword] = report[keyword]
    return root


def test_six_zones_and_the_whole_are_measured(written: Callable[..., Path]) -> None:
    found = groups(read(written()))
    assert list(found) == [*(f"Brixia zone {zone}" for zone in ZONES), "Brixia global score"]
    for zone, (place, side, score) in ZONES.items():
        group = found[f"Brixia zone {zone}"]
        (site,) = items(group, "Finding Site")
        (laterality,) = items(site, "Laterality")
        assert site.ConceptCodeSequence[0].CodeValue == place
        assert laterality.ConceptCodeSequence[0].CodeValue == side
        assert number(group, "Brixia zone score") == score
        # By hand: 0.7 for the score, 0.1 for each other one.
        assert number(group, "Expected Brixia zone score") == pytest.approx(0.6 + 0.6 * score)
        for other in range(4):
            probability = number(group, f"Probability of Brixia zone score {other}")
            assert probability == pytest.approx(0.7 if other == score else 0.1)
    assert number(found["Brixia global score"], "Brixia global score") == 9
    assert number(found["Brixia global score"], "Expected Brixia global score") == pytest.approx(9)


def test_every_group_names_model_and_source(written: Callable[..., Path]) -> None:
    for group in groups(read(written())).values():
        texts = {
            name: [item.TextValue for item in items(group, f"Algorithm {name}")]
            for name in ("Name", "Version", "Parameters")
        }
        assert texts["Name"] == ["bsnet-test"]
        assert re.fullmatch(r"brixia-edge \d+\.\d+.*", texts["Version"][0])
        assert texts["Parameters"] == ["precision fp32", f"weights sha256 {'0123456789abcdef' * 4}"]
        (family,) = items(group, "Algorithm Family")
        assert family.ConceptCodeSequence[0].CodeValue == "123110"
        (image,) = (*items(group, "Source of Measurement"), *items(group, "Source"))
        assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.840.99.1.1.1"


def test_every_group_tells_that_a_network_is_light(scored_dicom: Scored, tmp_path: Path) -> None:
    exact = scored_dicom()
    path = tmp_path / "light-sr.dcm"
    light = replace(exact, model=replace(exact.model, variant="light"))
    write_structured_report(Material(light), path)
    for group in groups(read(path)).values():
        parameters = [item.TextValue for item in items(group, "Algorithm Parameters")]
        assert parameters[:2] == ["variant light", "precision fp32"]


# By hand: half the input's width, an eighth of its height lower; 512 columns and 1024 rows. A point
# at index n of 512 lies at n + 0.5 of as many columns, and at 2 n + 1 of twice as many rows.
HALVED = ((0.5, 0.0, 0.0), (0.0, 1.0, 0.25))
SIZE = {"Rows": (1024).to_bytes(2, "little"), "Columns": (512).to_bytes(2, "little")}
REGIONS = {
    "A": (128.5, 129.0, 256.5, 129.0 + 0.4 * 1024),
    "D": (256.5, 129.0, 384.5, 129.0 + 0.4 * 1024),
    "F": (256.5, 129.0 + 0.6 * 1024, 384.5, 1024.0),
}


def test_every_zone_has_its_region_of_the_image(written: Callable[..., Path]) -> None:
    found = groups(read(written(SIZE, alignment=HALVED)))
    for zone in ZONES:
        group = found[f"Brixia zone {zone}"]
        assert group.ContentTemplateSequence[0].TemplateIdentifier == "1410"
        (region,) = items(group, "Image Region")
        assert (region.ValueType, region.GraphicType) == ("SCOORD", "POLYLINE")
        assert region.RelationshipType == "CONTAINS"
        (source,) = region.ContentSequence
        assert (source.ValueType, source.RelationshipType) == ("IMAGE", "SELECTED FROM")
        assert source.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.840.99.1.1.1"
        if zone in REGIONS:
            left, top, right, bottom = REGIONS[zone]
            corners = [left, top, right, top, right, bottom, left, bottom, left, top]
            assert list(region.GraphicData) == pytest.approx(corners, abs=0.01)
    assert not list(items(found["Brixia global score"], "Image Region"))


def test_a_zone_beside_the_image_is_told_without_a_region(
    written: Callable[..., Path],
) -> None:
    path = written(alignment=((1.0, 0.0, 1.5), (0.0, 1.0, 0.0)))
    found = groups(read(path))
    with_region = [
        zone for zone in ZONES if list(items(found[f"Brixia zone {zone}"], "Image Region"))
    ]
    assert with_region == ["A", "B", "C"]
    assert number(found["Brixia zone F"], "Brixia zone score") == 1
    assert complaints("dciodvfy", path) == []


def test_it_is_filed_in_the_study_of_the_image(written: Callable[..., Path]) -> None:
    report = read(written())
    for keyword, stored in GOOD.items():
        assert isinstance(stored, bytes)
        assert str(report[keyword].value) == stored.decode().strip()
    assert report.StudyInstanceUID == UIDS["StudyInstanceUID"].decode()
    assert report.SeriesInstanceUID != UIDS["SeriesInstanceUID"].decode()
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    (instance,) = series.ReferencedSOPSequence
    assert study.StudyInstanceUID == UIDS["StudyInstanceUID"].decode()
    assert series.SeriesInstanceUID == UIDS["SeriesInstanceUID"].decode()
    assert instance.ReferencedSOPInstanceUID == UIDS["SOPInstanceUID"].decode()


def test_it_says_what_it_is(written: Callable[..., Path]) -> None:
    report = read(written(warnings=WARNINGS))
    assert report.SOPClassUID.name == "Comprehensive 3D SR Storage"
    assert report.file_meta.TransferSyntaxUID.name == "Explicit VR Little Endian"
    assert report.file_meta.MediaStorageSOPInstanceUID == report.SOPInstanceUID
    assert report.Modality == "SR"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    flags = (report.CompletionFlag, report.PreliminaryFlag, report.VerificationFlag)
    assert flags == ("COMPLETE", "PRELIMINARY", "UNVERIFIED")
    assert "RESEARCH USE ONLY - not for diagnostic use" in report.SeriesDescription
    (scheme,) = report.CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == "99BRIXIA"


def test_comments_hold_the_research_line_and_every_warning(written: Callable[..., Path]) -> None:
    comments = [item.TextValue for item in items(read(written(warnings=WARNINGS)), "Comment")]
    assert comments == [
        "RESEARCH USE ONLY - not for diagnostic use",
        *(f"Unreliable: {warning}" for warning in WARNINGS),
    ]


def test_comments_tell_what_of_the_header_is_not_as_it_was(written: Callable[..., Path]) -> None:
    report = read(written(NASTY["over-long"]))
    told = [item.TextValue for item in items(report, "Comment")][1:]
    assert len(told) == 5
    assert (
        "Header: AccessionNumber was left out: it has 30 characters, 16 at most are allowed" in told
    )
    assert not any("AAAA" in text or "9999" in text for text in told)


def test_content_and_identity_are_the_same_each_time(written: Callable[..., Path]) -> None:
    first, second = read(written()), read(written())
    assert root_of(first) == root_of(second)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert first[keyword].value == second[keyword].value


def test_a_model_of_any_name_gives_valid_text(scored_dicom: Scored, tmp_path: Path) -> None:
    for name in ("", "modèle\n\x1b[2J" * 40):
        model = ModelIdentity(name, "fp32", name)
        path = tmp_path / "named.dcm"
        write_structured_report(Material(replace(scored_dicom(), model=model)), path)
        group = next(iter(groups(read(path)).values()))
        (text,) = (item.TextValue for item in items(group, "Algorithm Name"))
        assert text
        assert text.isascii()
        assert text.isprintable()
        assert not complaints("dciodvfy", path)


def test_highdicom_reads_it_back(written: Callable[..., Path]) -> None:
    report = _sr.srread(written())
    assert type(report).__name__ == "Comprehensive3DSR"
    zones = report.content.get_planar_roi_measurement_groups()
    (whole,) = report.content.get_image_measurement_groups()
    scores = [
        item.value
        for group in (*zones, whole)
        for item in group.get_measurements()
        if item.name.meaning in ("Brixia zone score", "Brixia global score")
    ]
    assert scores == [0, 1, 2, 3, 2, 1, 9]
    assert [group.roi.graphic_type.value for group in zones] == ["POLYLINE"] * 6


def test_dsrdump_reads_it_back(written: Callable[..., Path]) -> None:
    said = said_by("dsrdump", written(warnings=WARNINGS), "+Pl")
    zone_scores = re.findall(r'"Brixia zone score"\)="(\d+)" \(\{score\},UCUM', said)
    assert zone_scores == ["0", "1", "2", "3", "2", "1"]
    assert re.findall(r'"Brixia global score"\)="(\d+)"', said) == ["9"]
    assert len(re.findall(r'"Probability of Brixia zone score \d"\)="0\.[17]"', said)) == 24
    assert "Verification Flag   : UNVERIFIED" in said
    assert "PERSON" in said


def test_the_validators_errors_are_seen(written: Callable[..., Path]) -> None:
    path = written()
    report = read(path)
    del report.StudyInstanceUID
    report.VerificationFlag = "PERHAPS"
    report.save_as(path)
    assert len(complaints("dciodvfy", path)) == 2


@pytest.mark.parametrize("name", ["good", *NASTY])
def test_dciodvfy_finds_no_error(written: Callable[..., Path], name: str) -> None:
    path = written(NASTY.get(name), warnings=WARNINGS)
    assert "Comprehensive3DSR" in said_by("dciodvfy", path)
    assert complaints("dciodvfy", path) == []


@pytest.mark.parametrize(
    "name",
    ["good", *(pytest.param(name, marks=pytest.mark.slow) for name in NASTY)],
)
def test_pixelmed_finds_no_error(written: Callable[..., Path], name: str) -> None:
    path = written(NASTY.get(name), warnings=WARNINGS)
    said = said_by("DicomSRValidator", path)
    assert "Found Root Template TID_1500" in said
    assert "IOD validation complete" in said
    assert [line for line in said.splitlines() if "Error" in line] == []


@pytest.mark.parametrize("name", ["RG1_UNCR.dcm", "RG3_UNCR.dcm", "RG1_J2KI.dcm"])
def test_reports_of_real_radiographs_are_valid(
    name: str, make_result: Scored, make_radiograph: Callable[..., Radiograph], tmp_path: Path
) -> None:
    file = get_testdata_file(name, download=False)
    if file is None:
        pytest.skip(f"{name} is not installed (pydicom-data)")
    assert_valid(Path(str(file)), make_result, make_radiograph, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "presidio_0_ORIGINAL_RLE.dcm",
        "txrv_rsna_cr.dcm",
        "fodicom_CR-MONO1-10-chest.dcm",
        "highdicom_dx_image.dcm",
        "pydicomdata_vlut_04.dcm",
    ],
)
def test_reports_of_shared_radiographs_are_valid(
    name: str,
    shared: Callable[[str], Path],
    make_result: Scored,
    make_radiograph: Callable[..., Radiograph],
    tmp_path: Path,
) -> None:
    assert_valid(shared(f"dicom/{name}"), make_result, make_radiograph, tmp_path)


def assert_valid(
    file: Path, make_result: Scored, make_radiograph: Callable[..., Radiograph], folder: Path
) -> None:
    """The pixels play no part, so they are not decoded."""
    image = read(file)
    radiograph = make_radiograph(size=(60, 64), form="DICOM", uid=str(image.SOPInstanceUID))
    path = folder / "result-sr.dcm"
    write_structured_report(Material(make_result(file, radiograph)), path)
    assert complaints("dciodvfy", path) == []
    report = read(path)
    assert report.StudyInstanceUID == image.StudyInstanceUID
    assert report.PatientID == image.get("PatientID", "")
    assert report.PatientName == image.get("PatientName", "")


def test_nothing_is_logged_or_printed(
    scored_dicom: Scored,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    result = scored_dicom({"PatientName": b"SECRETPERSON", "ReferringPhysicianName": b"HOUSE"})
    recwarn.clear()
    write_structured_report(Material(result), tmp_path / "result.dcm")
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")


def test_no_half_file_appears(
    scored_dicom: Scored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = scored_dicom()
    folder = tmp_path / "archive"
    folder.mkdir()

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_structured_report(Material(result), folder / "result.dcm")
    assert list(folder.iterdir()) == []


def test_highdicom_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "brixia_edge.runtime.reports.dicom.structured_report"
    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "highdicom.coding_schemes", None)
    with pytest.raises(MissingExtra, match=r"pip install 'brixia-edge\[report\]'"):
        __import__(module)
