"""One element that cannot be read costs the file only where the pixels need it."""

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.runtime.errors import UnreadableImage
from brixia_edge.runtime.reading.dicom.elements import ELEMENTS, ITEM_ELEMENTS
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from dicom_sources import with_element
from pydicom.datadict import tag_for_keyword
from pydicom.uid import ImplicitVRLittleEndian

DicomMaker = Callable[..., bytes]

READING = Path(__file__).parents[4] / "runtime" / "reading" / "dicom"

ITEM = b"\xfe\xff\x00\xe0"
ENDLESS = b"\xff\xff\xff\xff"
JUNK = b"junk, and no element"

WITHOUT_A_WORD = {
    "decimal comma": ("ImagerPixelSpacing", "DS", b"0,143\\0,143 "),
    "text for a spacing": ("ImagerPixelSpacing", "UT", b"0.143\\0.143 "),
    "text for another spacing": ("PixelSpacing", "UT", b"0.143\\0.143 "),
    "ratio as people write it": ("PixelAspectRatio", "IS", b"1:1 "),
    "half a number": ("PatientOrientation", "US", b"abc"),
    "UID of numbers": ("SOPInstanceUID", "US", b"abc"),
    "planes of one channel": ("PlanarConfiguration", "US", b"abc"),
    "junk for a code sequence": ("ViewCodeSequence", "SQ", JUNK),
    "junk for a code": ("ViewCodeSequence", "SQ", ITEM + b"\x14\0\0\0" + JUNK),
    "scheme of half a number": (
        "AnatomicRegionSequence",
        "SQ",
        ITEM + b"\x0b\0\0\0" + b"\x08\x00\x02\x01US\x03\x00abc",
    ),
}

TOLD = {
    "letter in a number": ("NumberOfFrames", "IS", b"1A"),
    "padding cut in two": ("PixelPaddingValue", "US", b"abc"),
    "padding of words": ("PixelPaddingValue", "DS", b"none"),
    "window with a decimal comma": ("WindowCenter", "DS", b"2048,5"),
    "slope with a decimal comma": ("RescaleSlope", "DS", b"1,0 "),
    "intercept of dashes": ("RescaleIntercept", "DS", b"--"),
    "modality of half a number": ("Modality", "US", b"abc"),
}

NEEDED = {
    "rows cut in two": ("Rows", "US", b"abc"),
    "rows with a letter": ("Rows", "IS", b"8A"),
    "bits of words": ("BitsStored", "DS", b"sixteen "),
    "highest bit of words": ("HighBit", "DS", b"x "),
    "polarity of half a number": ("PhotometricInterpretation", "US", b"abc"),
}


@pytest.mark.parametrize("name", WITHOUT_A_WORD)
def test_what_adds_a_doubt_at_most_is_left_out_without_a_word(
    make_dicom: DicomMaker, name: str
) -> None:
    keyword, vr, value = WITHOUT_A_WORD[name]
    radiograph = radiograph_from_dicom(with_element(make_dicom(), keyword, vr, value))
    np.testing.assert_array_equal(radiograph.pixels, radiograph_from_dicom(make_dicom()).pixels)
    assert radiograph.warnings == ()


@pytest.mark.parametrize("element", [b"US\x03\x00abc", b"FL\x04\x00abc ", b"SQ\0\0\x03\0\0\0abc"])
def test_character_set_that_stops_the_parser_is_left_out(
    make_dicom: DicomMaker, element: bytes
) -> None:
    plain = make_dicom()
    start = 144 + int.from_bytes(plain[140:144], "little")
    content = plain[:start] + b"\x08\x00\x05\x00" + element + plain[start:]
    radiograph = radiograph_from_dicom(content)
    np.testing.assert_array_equal(radiograph.pixels, radiograph_from_dicom(plain).pixels)
    assert radiograph.warnings == ()


@pytest.mark.parametrize("name", TOLD)
def test_what_decides_on_the_picture_or_a_check_is_left_out_and_told(
    make_dicom: DicomMaker, name: str
) -> None:
    keyword, vr, value = TOLD[name]
    radiograph = radiograph_from_dicom(with_element(make_dicom(), keyword, vr, value))
    np.testing.assert_array_equal(radiograph.pixels, radiograph_from_dicom(make_dicom()).pixels)
    assert radiograph.warnings == (f"{keyword} cannot be read and was left out",)


@pytest.mark.parametrize("name", NEEDED)
def test_what_the_pixels_need_is_named_and_no_further_copy_advised(
    make_dicom: DicomMaker, name: str
) -> None:
    keyword, vr, value = NEEDED[name]
    with pytest.raises(UnreadableImage, match=f"{keyword} of the DICOM file holds no") as caught:
        radiograph_from_dicom(with_element(make_dicom(), keyword, vr, value))
    assert "Copy it again" not in str(caught.value)
    assert value.decode() not in str(caught.value)


def test_table_whose_descriptor_cannot_be_read_is_told_of_its_sequence(
    make_dicom: DicomMaker,
) -> None:
    item = ITEM + b"\x0d\0\0\0" + b"\x28\x00\x02\x30US\x05\x00abcde"
    content = with_element(make_dicom(), "VOILUTSequence", "SQ", item)
    told = radiograph_from_dicom(content).warnings
    assert told == ("VOILUTSequence cannot be used and was left out",)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    "junk", [JUNK, ITEM + b"\x14\0\0\0" + JUNK, ITEM + ENDLESS + JUNK + b"\xfe\xff\x0d\xe0\0\0\0\0"]
)
@pytest.mark.parametrize(
    ("keyword", "told"),
    [
        ("ViewCodeSequence", ()),
        ("RequestAttributesSequence", ()),
        ("VOILUTSequence", ("VOILUTSequence cannot be read and was left out",)),
    ],
)
def test_junk_in_a_sequence_without_a_length_costs_that_sequence(
    make_dicom: DicomMaker, keyword: str, told: tuple[str, ...], junk: bytes, syntax: str
) -> None:
    plain = make_dicom(syntax=syntax)
    radiograph = radiograph_from_dicom(with_element(plain, keyword, "SQ", junk, open_ended=True))
    np.testing.assert_array_equal(radiograph.pixels, radiograph_from_dicom(plain).pixels)
    assert radiograph.warnings == told


def test_good_sequence_around_another_is_kept_beside_a_broken_one(make_dicom: DicomMaker) -> None:
    code = b"\x08\x00\x00\x01SH\x08\x00R-102CD " + b"\x08\x00\x02\x01SH\x04\x00SRT "
    nested = b"\x54\x00\x22\x02SQ\0\0" + ENDLESS + b"\xfe\xff\xdd\xe0\0\0\0\0"
    item = ITEM + ENDLESS + code + nested + b"\xfe\xff\x0d\xe0\0\0\0\0"
    content = with_element(make_dicom(), "ViewCodeSequence", "SQ", item, open_ended=True)
    content = with_element(content, "AnatomicRegionSequence", "SQ", JUNK, open_ended=True)
    (told,) = radiograph_from_dicom(content).warnings
    assert told.startswith("ViewCodeSequence is R-102CD, a lateral view")


def test_junk_that_hides_the_pixels_is_told_as_damage(make_dicom: DicomMaker) -> None:
    content = with_element(make_dicom(), "ViewCodeSequence", "SQ", JUNK, open_ended=True)
    endless = content.replace(b"\xfe\xff\xdd\xe0\0\0\0\0", b"")
    with pytest.raises(UnreadableImage, match=r"cut off"):
        radiograph_from_dicom(endless)


def test_every_element_that_reading_names_is_in_the_table() -> None:
    named = {
        node.value
        for path in READING.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value
        and tag_for_keyword(node.value) is not None
    }
    of_the_file_meta = {"TransferSyntaxUID", "MediaStorageSOPClassUID"}
    assert "Rows" in named
    assert named - of_the_file_meta <= {*ELEMENTS, *ITEM_ELEMENTS}


def test_every_element_of_the_table_is_one_of_the_standard() -> None:
    assert all(tag_for_keyword(keyword) is not None for keyword in (*ELEMENTS, *ITEM_ELEMENTS))
