"""A chest is known as one in the language and the character set of the ward that labelled it."""

from collections.abc import Callable

import pytest
from brixia_edge.runtime.errors import UnsupportedImage
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from dicom_sources import with_element

DicomMaker = Callable[..., bytes]

CHESTS = {
    "Italian": "TORACE",
    "Spanish": "TÓRAX",
    "Portuguese": "Tórax PA",
    "French": "POITRINE",
    "German": "Brustkorb",
    "Dutch": "borstkas",
    "Romanian": "plămâni",
    "Polish": "KLATKA PIERSIOWA",
    "Polish lungs": "PŁUCA",
    "Czech": "HRUDNÍK",
    "Croatian": "GRUDNI KOŠ",
    "Hungarian": "MELLKAS",
    "Turkish": "AKCİĞER",
    "Finnish": "RINTAKEHÄ",
    "Swedish": "Bröstkorg",
    "Russian": "ГРУДНАЯ КЛЕТКА",
    "Russian lungs": "ЛЁГКИЕ",
    "Bulgarian": "ГРЪДЕН КОШ",
    "Greek": "ΘΏΡΑΚΑΣ",
    "Chinese": "胸部",
    "Japanese in half width": "ｷｮｳﾌﾞ",
    "Korean": "흉부",
    "Thai": "ทรวงอก",
    "Vietnamese": "NGỰC THẲNG",
    "Indonesian": "DADA",
    "Arabic": "الصدر",
    "Hebrew": "חזה",
    "Hindi": "छाती",
    "English, of the standard": "CHEST",
    "English, with another part": "CHEST_ABDOMEN",
}


def labelled(make_dicom: DicomMaker, stored: bytes, charset: bytes = b"") -> bytes:
    """A radiograph with these bytes as its body part."""
    content = with_element(make_dicom(), "BodyPartExamined", "CS", stored)
    return with_element(content, "SpecificCharacterSet", "CS", charset) if charset else content


@pytest.mark.parametrize("language", CHESTS)
def test_chest_in_any_language_is_not_doubted(make_dicom: DicomMaker, language: str) -> None:
    content = labelled(make_dicom, CHESTS[language].encode())
    assert radiograph_from_dicom(content).warnings == ()


@pytest.mark.parametrize(
    ("word", "encoding", "charset"),
    [
        ("TÓRAX", "latin-1", b""),
        ("TÓRAX", "latin-1", b"ISO_IR 100"),
        ("TÓRAX", "latin-1", b"ISO-8859-1"),
        ("HRUDNÍK", "iso8859-2", b"ISO_IR 101"),
        ("ГРУДЬ", "iso8859-5", b"ISO_IR 144"),
        ("ΘΏΡΑΚΑΣ", "iso8859-7", b"ISO_IR 126"),
        ("胸部", "gb18030", b"GB18030"),
        ("胸部", "utf-8", b"ISO_IR 192"),
    ],
)
def test_chest_in_any_character_set_is_not_doubted(
    make_dicom: DicomMaker, word: str, encoding: str, charset: bytes
) -> None:
    content = labelled(make_dicom, word.encode(encoding), charset)
    assert radiograph_from_dicom(content).warnings == ()


@pytest.mark.parametrize("word", ["RODILLA", "COLUMNA", "ABOMEN", "ЖИВОТ", "腹部", "DADAR", "\xff"])
def test_other_words_are_doubted_still(make_dicom: DicomMaker, word: str) -> None:
    (told,) = radiograph_from_dicom(labelled(make_dicom, word.encode())).warnings
    assert told == "BodyPartExamined does not say chest; the image may show another part"


def test_another_part_of_the_standard_is_refused_still(make_dicom: DicomMaker) -> None:
    with pytest.raises(UnsupportedImage, match="BodyPartExamined is KNEE"):
        radiograph_from_dicom(labelled(make_dicom, b"KNEE"))
