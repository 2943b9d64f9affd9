"""What results take over from a radiograph: patient and study as they are, or not at all."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from brixia_edge.runtime.errors import UnreadableImage, UnsupportedImage
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.reports.dicom.source import read_source
from brixia_edge.runtime.results import ScoredRadiograph
from dicom_sources import GOOD, NASTY, UIDS, Stored
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

Scored = Callable[..., ScoredRadiograph]

# What is left of each nasty header; what is not named is as in GOOD.
KEPT = {
    "nothing but UIDs": dict.fromkeys(GOOD, ""),
    "Latin-1": {"PatientName": "Müller^Jörg"},
    "Japanese": {"PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう"},
    "Chinese": {"PatientName": "王^小东"},
    "Chinese by escape sequences": {
        "PatientName": "Wang^XiaoDong=王^小东",
        "StudyDescription": "胸部",
    },
    "escape sequences undeclared": {"PatientName": "Wang^XiaoDong=王^小东"},
    "Korean without a second escape sequence": {"PatientName": "Hong^Gildong"},
    "set of the wrong name": {"PatientName": "Müller^Jörg"},
    "set of another wrong name": {"PatientName": "Διονυσιος"},
    "Latin-1 for UTF-8": {"PatientName": "Müller^Jörg"},
    "Shift-JIS undeclared": {"PatientName": "Yamada^Tarou"},
    "line ends": {
        "PatientName": "PERSON^SECRET",
        "PatientID": "SECRET-17",
        "StudyDescription": "CHEST AP",
    },
    "long ideographic group": {"PatientName": "Wang^XiaoDong"},
    "UTF-8 undeclared": {"PatientName": "Müller^Jörg"},
    "Latin-1 undeclared": {"PatientName": "Müller^Jörg"},
    "character set unknown": {"PatientName": "Müller^J"},
    "characters cut in two": {"PatientName": ""},
    "over-long": {
        "PatientID": "",
        "PatientName": "",
        "AccessionNumber": "",
        "StudyID": "",
        "StudyDescription": ("CHEST " * 20)[:64].strip(),
    },
    "several values": {"PatientID": "", "PatientName": "", "StudyDate": ""},
    "control characters": {"PatientID": "", "StudyDescription": "CHEST AP", "PatientName": ""},
    "dates that are none": {"PatientBirthDate": "", "StudyDate": "", "StudyTime": ""},
    "dates in other forms": {
        "PatientBirthDate": "19400305",
        "StudyDate": "20200131",
        "StudyTime": "103015",
    },
    "names of a wrong form": {
        "PatientName": "",
        "ReferringPhysicianName": "A",
        "PatientSex": "",
    },
    "wrong value representations": {
        "PatientID": "",
        "PatientName": "",
        "StudyID": "S1",
        "StudyDate": "",
        "AccessionNumber": "",
    },
}

GUESSED = "was read as ISO_IR 100, since it is of no character set that the file declares"
ALONE = "keeps its alphabetic group alone:"

# What is told of each nasty header; nothing of the others.
TOLD = {
    "Korean without a second escape sequence": [f"PatientName {ALONE} another cannot be decoded"],
    "set of the wrong name": ["SpecificCharacterSet is misspelt and was taken for ISO_IR 100"],
    "set of another wrong name": ["SpecificCharacterSet is misspelt and was taken for ISO_IR 126"],
    "Latin-1 for UTF-8": [f"PatientName {GUESSED}"],
    "Shift-JIS undeclared": [f"PatientName {ALONE} another cannot be decoded"],
    "line ends": [
        "PatientName lost control characters",
        "PatientID lost control characters",
        "StudyDescription lost control characters",
    ],
    "long ideographic group": [f"PatientName {ALONE} it has 65 characters, 64 at most are allowed"],
    "Latin-1 undeclared": [f"PatientName {GUESSED}"],
    "character set unknown": [
        "SpecificCharacterSet holds a term that does not exist, and was left aside",
        f"PatientName {GUESSED}",
    ],
    "characters cut in two": ["PatientName was left out: it cannot be decoded"],
    "over-long": [
        "PatientName was left out: it has 70 characters, 64 at most are allowed",
        "PatientID was left out: it has 80 characters, 64 at most are allowed",
        "StudyID was left out: it has 17 characters, 16 at most are allowed",
        "StudyDescription was cut to 64 characters",
        "AccessionNumber was left out: it has 30 characters, 16 at most are allowed",
    ],
    "several values": [
        "PatientName was left out: it holds several values",
        "PatientID was left out: it holds several values",
        "StudyDate was left out: it is no date",
    ],
    "control characters": [
        "PatientName was left out: it cannot be decoded",
        "PatientID was left out: it holds control characters",
        "StudyDescription lost control characters",
    ],
    "dates that are none": [
        "PatientBirthDate was left out: it is no date",
        "StudyDate was left out: it is no date",
        "StudyTime was left out: it is no time of day",
    ],
    "names of a wrong form": [
        "PatientName was left out: it has 6 components, 5 at most are allowed",
        "PatientSex was left out: it is none of M, F and O",
        f"ReferringPhysicianName {ALONE} it has 4 groups, 3 at most are allowed",
    ],
    "wrong value representations": [
        "PatientID was left out: it holds control characters",
        "AccessionNumber was left out: it holds control characters",
    ],
}


def test_good_attributes_come_over_unchanged(scored_dicom: Scored) -> None:
    source = read_source(scored_dicom()).dataset
    for keyword, stored in {**GOOD, **UIDS}.items():
        assert isinstance(stored, bytes)
        assert str(source[keyword].value) == stored.decode().strip()
    assert "SpecificCharacterSet" not in source
    assert (source.Rows, source.Columns) == (8, 8)


@pytest.mark.parametrize("name", NASTY)
def test_bad_attributes_are_kept_repaired_or_left_out(scored_dicom: Scored, name: str) -> None:
    source = read_source(scored_dicom(NASTY[name])).dataset
    for keyword, value in KEPT[name].items():
        assert str(source.get(keyword, "")) == value
    for keyword in GOOD.keys() - KEPT[name].keys():
        assert source[keyword].value
    texts = [str(source.get(keyword, "")) for keyword in GOOD]
    assert ("SpecificCharacterSet" in source) == any(not text.isascii() for text in texts)


@pytest.mark.parametrize("name", ["good", *NASTY])
def test_what_is_not_as_it_was_is_told_by_keyword(scored_dicom: Scored, name: str) -> None:
    remarks = read_source(scored_dicom(NASTY.get(name))).remarks
    assert list(remarks) == TOLD.get(name, [])


@pytest.mark.parametrize(
    ("syntax", "preamble"),
    [
        (ExplicitVRLittleEndian, False),
        (ImplicitVRLittleEndian, True),
        (ImplicitVRLittleEndian, False),
        (ExplicitVRBigEndian, True),
    ],
)
def test_attributes_are_found_in_any_encoding(
    make_dicom: Callable[..., bytes],
    scored_dicom: Scored,
    tmp_path: Path,
    syntax: str,
    preamble: bool,
) -> None:
    uids = {keyword: stored.decode() for keyword, stored in UIDS.items()}
    names = {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Müller^Jörg"}
    file = tmp_path / "encoded.dcm"
    file.write_bytes(make_dicom(syntax=syntax, preamble=preamble, **names, **uids))
    source = read_source(replace(scored_dicom(), file=file)).dataset
    assert source.PatientName == "Müller^Jörg"
    assert source.PatientID == "SECRET-17"
    assert source.Rows == 8
    assert {keyword: source[keyword].value for keyword in uids} == uids


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize(
    "stored", [b"", b"1.02.3", b"9.9", b"5", b"none", b"1." + b"9" * 70, b"1.2\\1.3"]
)
def test_a_result_that_cannot_be_filed_is_refused(
    scored_dicom: Scored, keyword: str, stored: bytes
) -> None:
    with pytest.raises(
        UnsupportedImage, match=f"{keyword} of the DICOM file is (missing|no valid)"
    ):
        read_source(scored_dicom({keyword: stored}))


def test_an_image_without_a_valid_uid_is_refused(
    scored_dicom: Scored, make_radiograph: Callable[..., Radiograph]
) -> None:
    elements: dict[str, Stored] = {"SOPInstanceUID": b"1.02"}
    result = scored_dicom(elements, radiograph=make_radiograph(form="DICOM", uid="1.02"))
    with pytest.raises(UnsupportedImage, match="SOPInstanceUID"):
        read_source(result)


def test_a_picture_has_no_study(make_result: Scored, chest_png: Path) -> None:
    with pytest.raises(UnsupportedImage, match="PNG file: it has neither patient nor study"):
        read_source(make_result(chest_png))


def test_another_image_in_the_file_s_place_is_noticed(
    scored_dicom: Scored, make_radiograph: Callable[..., Radiograph]
) -> None:
    other = make_radiograph(form="DICOM", uid="1.2.3")
    with pytest.raises(UnreadableImage, match="replaced by another image"):
        read_source(scored_dicom(radiograph=other))


def test_a_file_that_is_gone_is_told(scored_dicom: Scored) -> None:
    result = scored_dicom()
    result.file.unlink()
    with pytest.raises(UnreadableImage, match="cannot be opened"):
        read_source(result)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, "00"),
        ({"LossyImageCompression": b"01"}, "01"),
        ({"LossyImageCompression": b"00"}, "00"),
    ],
)
def test_lossy_compression_stays_known(
    scored_dicom: Scored, elements: dict[str, Stored], expected: str
) -> None:
    assert read_source(scored_dicom(elements)).dataset.LossyImageCompression == expected


@pytest.mark.parametrize("name", NASTY)
def test_nothing_is_logged(
    scored_dicom: Scored, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    result = scored_dicom(NASTY[name])
    caplog.clear()
    read_source(result)
    assert not caplog.records
