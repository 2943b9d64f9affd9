"""Text is read by the character sets that a file declares, or else by the stated rule."""

import pytest
from brixia_edge.runtime.reading.dicom.header import silence
from brixia_edge.runtime.reading.dicom.text import CharacterSets, Text, character_sets, decode
from pydicom.dataset import Dataset

UNDECLARED = CharacterSets()


def declared(*terms: str) -> CharacterSets:
    dataset = Dataset()
    with silence():
        dataset.SpecificCharacterSet = list(terms)
        return character_sets(dataset)


@pytest.mark.parametrize(
    ("written", "term"),
    [
        ("ISO-8859-1", "ISO_IR 100"),
        ("iso8859-1", "ISO_IR 100"),
        ("ISO IR 100", "ISO_IR 100"),
        ("ISO-IR-101", "ISO_IR 101"),
        ("LATIN1", "ISO_IR 100"),
        ("UTF-8", "ISO_IR 192"),
        ("ISO_8859-5", "ISO_IR 144"),
        ("Shift_JIS", "ISO_IR 13"),
        ("GB2312", "GBK"),
        ("ISO-2022-IR-87", "ISO 2022 IR 87"),
    ],
)
def test_misspelt_term_is_taken_for_the_one_it_is_meant_for(written: str, term: str) -> None:
    sets = declared(written)
    assert sets.terms == (term,)
    assert sets.remark == f"is misspelt and was taken for {term}"


@pytest.mark.parametrize("term", ["ISO_IR 100", "ISO_IR 192", "GB18030", "iso_ir 144"])
def test_defined_term_is_taken_as_it_is(term: str) -> None:
    assert declared(term) == CharacterSets((term.upper(),))


@pytest.mark.parametrize("terms", [("LATIN-9",), ("EBCDIC",), ("ISO_IR 100", "KLINGON")])
def test_term_that_does_not_exist_is_left_aside_and_told(terms: tuple[str, ...]) -> None:
    sets = declared(*terms)
    assert sets.terms == ()
    assert sets.remark.startswith("holds a term that does not exist")


@pytest.mark.parametrize(
    ("stored", "sets", "text"),
    [
        # PS3.5 K.2 and I.2: escape sequences of GB2312 and of KS X 1001, which name their sets.
        (b"\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1\xb6\xab", declared("", "ISO 2022 IR 58"), "王^小东"),
        (b"\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1\xb6\xab", UNDECLARED, "王^小东"),
        (b"\x1b$)A\xcd\xf5", declared("ISO_IR 100"), "王"),
        (b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce", UNDECLARED, "Hong=洪^吉"),
        (b"Y=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", UNDECLARED, "Y=山田^太郎"),
        (b"\x1b-F" + "Διον".encode("iso8859-7"), UNDECLARED, "Διον"),
        (b"\x1b-B" + "Gáspár".encode("iso8859-2"), declared("", "ISO 2022 IR 101"), "Gáspár"),
        ("Διον".encode("iso8859-7"), declared("ISO-8859-7"), "Διον"),
        ("Müller".encode(), UNDECLARED, "Müller"),
        ("Müller".encode(), declared("ISO_IR 6"), "Müller"),
        (b" DOE^JOHN \0", UNDECLARED, "DOE^JOHN"),
        (b"", declared("LATIN-9"), ""),
    ],
)
def test_text_that_can_be_told_is_not_guessed(
    stored: bytes, sets: CharacterSets, text: str
) -> None:
    with silence():
        assert decode(stored, sets, is_name=True) == Text(text)


@pytest.mark.parametrize("sets", [UNDECLARED, declared("ISO_IR 192"), declared("EBCDIC")])
def test_what_no_set_fits_is_read_as_latin_1_and_said_to_be_guessed(sets: CharacterSets) -> None:
    with silence():
        assert decode("Müller".encode("latin-1"), sets) == Text("Müller", "ISO_IR 100")


@pytest.mark.parametrize(
    ("stored", "sets"),
    [
        ("山田".encode("shift_jis"), UNDECLARED),
        (b"Yamada^\x1b$B;", declared("", "ISO 2022 IR 87")),
        (b"\x1b$@;3ED\x1b(J", UNDECLARED),
        (b"A\x1b[2J", UNDECLARED),
        # Beyond a delimiter the escape sequence no longer holds, and ASCII has no such bytes.
        (b"\x1b$)C\xfb\xf3^\xd1\xce", declared("", "ISO 2022 IR 149")),
        (b"\x1b-Z\xe4", declared("ISO_IR 100")),
    ],
)
def test_what_cannot_be_told_is_no_text(stored: bytes, sets: CharacterSets) -> None:
    with silence():
        assert decode(stored, sets, is_name=True) is None
