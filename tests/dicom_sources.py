"""Radiographs that results are written from, with headers good and bad, and the checks of results.

The pixels play no part: a radiograph's header alone goes into its results.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import Tag

UIDS: Mapping[str, bytes] = {
    "StudyInstanceUID": b"1.2.840.99.1",
    "SeriesInstanceUID": b"1.2.840.99.1.1",
    "SOPInstanceUID": b"1.2.840.99.1.1.1",
}

Stored = bytes | tuple[str, bytes]
"""The bytes of an element as they stand in the file, with a VR where it is not the dictionary's."""

GOOD: Mapping[str, Stored] = {
    "PatientName": b"SECRET^PERSON",
    "PatientID": b"SECRET-17",
    "IssuerOfPatientID": b"WARD 9",
    "PatientBirthDate": b"19400305",
    "PatientSex": b"F ",
    "StudyDate": b"20200131",
    "StudyTime": b"103015.123 ",
    "StudyID": b"S1",
    "StudyDescription": b"CHEST AP",
    "AccessionNumber": b"A-4711",
    "ReferringPhysicianName": b"HOUSE^GREGORY",
}

WANG = b"Wang^XiaoDong=\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1\xb6\xab="
"""The example of PS3.5 K.2: a name in ISO 2022 IR 58."""

NASTY: Mapping[str, Mapping[str, Stored]] = {
    "nothing but UIDs": dict.fromkeys(GOOD, b""),
    "Latin-1": {
        "SpecificCharacterSet": b"ISO_IR 100",
        "PatientName": "Müller^Jörg".encode("latin1"),
    },
    "Japanese": {
        "SpecificCharacterSet": b"\\ISO 2022 IR 87",
        "PatientName": b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B="
        b"\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
    },
    "Chinese": {"SpecificCharacterSet": b"GB18030", "PatientName": "王^小东".encode("gb18030")},
    "Chinese by escape sequences": {
        "SpecificCharacterSet": b"\\ISO 2022 IR 58",
        "PatientName": WANG,
        "StudyDescription": b"\x1b$)A\xd0\xd8\xb2\xbf",
    },
    "escape sequences undeclared": {"PatientName": WANG},
    "Korean without a second escape sequence": {
        "SpecificCharacterSet": b"\\ISO 2022 IR 149",
        "PatientName": b"Hong^Gildong=\x1b$)C\xfb\xf3^\xd1\xce\xd4\xd7",
    },
    "set of the wrong name": {
        "SpecificCharacterSet": b"ISO-8859-1",
        "PatientName": "Müller^Jörg".encode("latin1"),
    },
    "set of another wrong name": {
        "SpecificCharacterSet": b"ISO_8859-7",
        "PatientName": "Διονυσιος".encode("iso8859-7"),
    },
    "Latin-1 for UTF-8": {
        "SpecificCharacterSet": b"ISO_IR 192",
        "PatientName": "Müller^Jörg".encode("latin1"),
    },
    "Shift-JIS undeclared": {"PatientName": b"Yamada^Tarou=" + "山田^太郎".encode("shift_jis")},
    "line ends": {
        "PatientName": b"PERSON^SECRET\r\n",
        "PatientID": b"SECRET-17\t",
        "StudyDescription": b"CHEST\tAP\n",
    },
    "long ideographic group": {
        "SpecificCharacterSet": b"ISO_IR 192",
        "PatientName": ("Wang^XiaoDong=" + "王" * 65).encode(),
    },
    "UTF-8 undeclared": {"PatientName": "Müller^Jörg".encode()},
    "Latin-1 undeclared": {"PatientName": "Müller^Jörg".encode("latin1")},
    "character set unknown": {"SpecificCharacterSet": b"LATIN-9", "PatientName": b"M\xfcller^J"},
    "characters cut in two": {
        "SpecificCharacterSet": b"\\ISO 2022 IR 87",
        "PatientName": b"Yamada^\x1b$B;",
    },
    "over-long": {
        "PatientID": b"9" * 80,
        "PatientName": b"N" * 70,
        "AccessionNumber": b"A" * 30,
        "StudyID": b"S" * 17,
        "StudyDescription": b"CHEST " * 20,
    },
    "several values": {
        "PatientID": b"1\\2",
        "PatientName": b"A^B\\C^D",
        "StudyDate": b"2020\\2021",
    },
    "control characters": {
        "PatientID": b"1\x002\x07",
        "StudyDescription": b"CHEST\r\nAP",
        "PatientName": b"A\x1b[2J^B",
    },
    "dates that are none": {
        "PatientBirthDate": b"19401332",
        "StudyDate": b"31/01/2020",
        "StudyTime": b"2560",
    },
    "dates in other forms": {
        "PatientBirthDate": b"1940.03.05",
        "StudyDate": b"2020-01-31",
        "StudyTime": b"10:30:15",
    },
    "names of a wrong form": {
        "PatientName": b"A^B^C^D^E^F",
        "ReferringPhysicianName": b"A=B=C=D",
        "PatientSex": b"FEMALE",
    },
    "wrong value representations": {
        "PatientID": ("US", b"\x11\x00"),
        "PatientName": ("SQ", b""),
        "StudyID": ("UN", b"S1"),
        "StudyDate": ("FD", b"\x00" * 8),
        "AccessionNumber": ("OB", b"\xff\xfe\x00\x01"),
    },
}


def source_file(path: Path, radiograph: bytes, elements: Mapping[str, Stored]) -> Path:
    """Save a radiograph with elements exactly as given, however wrong."""
    dataset = read_partial(BytesIO(radiograph))
    elements = {**UIDS, **GOOD, **elements}
    character_set = elements.pop("SpecificCharacterSet", b"")
    for keyword, stored in elements.items():
        element = _as_stored(keyword, stored)
        dataset[element.tag] = element
    stream = BytesIO()
    dataset.save_as(stream)
    assert isinstance(character_set, bytes)
    path.write_bytes(_declared(stream.getvalue(), character_set))
    return path


def _as_stored(keyword: str, stored: Stored) -> RawDataElement:
    number = tag_for_keyword(keyword)
    assert number is not None
    vr, value = stored if isinstance(stored, tuple) else (dictionary_VR(number), stored)
    padded = value + b" " * (len(value) % 2)
    return RawDataElement(Tag(number), vr, len(padded), padded, 0, False, True)


def with_element(
    content: bytes, keyword: str, vr: str, value: bytes, *, open_ended: bool = False
) -> bytes:
    """The file with one element of these very bytes; `open_ended` leaves its length undefined."""
    dataset = read_partial(BytesIO(content))
    number = tag_for_keyword(keyword)
    assert number is not None
    length = 0xFFFFFFFF if open_ended else len(value)
    dataset[number] = RawDataElement(Tag(number), vr, length, value, 0, False, True)
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def _declared(content: bytes, character_set: bytes) -> bytes:
    """Put in the character set, the first element of a dataset; pydicom would convert the texts."""
    start = 144 + int.from_bytes(content[140:144], "little")
    padded = character_set + b" " * (len(character_set) % 2)
    element = b"\x08\x00\x05\x00CS" + len(padded).to_bytes(2, "little") + padded
    return content[:start] + (element if character_set else b"") + content[start:]


def read(path: Path) -> Dataset:
    """Read a DICOM file, also one without preamble."""
    return read_partial(BytesIO(path.read_bytes()), force=True)


def complaints(tool: str, path: Path, *options: str) -> list[str]:
    """The lines in which a validator tells of errors; its exit status tells nothing."""
    return [line for line in said_by(tool, path, *options).splitlines() if "Error" in line]


def said_by(tool: str, path: Path, *options: str) -> str:
    """All that a tool says about a file; skips the test where the tool is not installed."""
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed (Debian: dicom3tools, pixelmed-apps, dcmtk)")
    # PixelMed's rules are longer than what newer Javas compile unless told to.
    limits = " ".join(f"-Djdk.xml.xpath{kind}Limit=0" for kind in ("ExprOp", "ExprGrp", "TotalOp"))
    done = subprocess.run(
        [program, *options, str(path)],
        env=os.environ | {"JAVA_TOOL_OPTIONS": limits},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stdout
