"""Values of a foreign header, checked before they go into a DICOM object of our own.

A value is copied when it is what its value representation (PS3.5 6.2) allows, repaired where the
meaning is beyond doubt, and else left out: an identifier that was cut to fit, or guessed from bytes
of another character set, would name another patient.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast

from pydicom.charset import convert_encodings, decode_bytes, python_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import TEXT_VR_DELIMS, VR

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", re.ASCII)
_UNFIT = ("Cc", "Cs")
"""Unicode categories of control characters and of surrogates, which are no text."""

_NAME_DELIMITERS = {ord("^"), ord("=")}
"""Where code extensions end in a Person Name (PS3.5 6.1.2.5.3)."""

_REPLACEMENT = "\ufffd"
"""What pydicom puts where bytes are not of the declared character set."""


def text_of(dataset: Dataset, keyword: str) -> str:
    """Decode an element as the file declares its text to be encoded (PS3.3 C.12.1.1.2).

    The bytes are taken as text whatever value representation the file gives them. Text without a
    declared character set, or with one that does not exist, is read as UTF-8, of which the default
    repertoire is a part.

    Parameters
    ----------
    dataset
        A dataset whose element has not been read yet.
    keyword
        Which element.

    Returns
    -------
    str
        The text without padding, or an empty one when there is none that can be decoded.
    """
    delimiters = _NAME_DELIMITERS if keyword.endswith("Name") else TEXT_VR_DELIMS
    try:
        text = decode_bytes(_stored(dataset, keyword), _encodings(dataset), delimiters)
    except UnicodeError:
        return ""
    return "" if _REPLACEMENT in text else text.strip(" \0")


def _stored(dataset: Dataset, keyword: str) -> bytes:
    if keyword not in dataset:
        return b""
    element = dataset.get_item(keyword)
    if element.VR == VR.SQ:
        return b""
    if not isinstance(element, RawDataElement):
        raise TypeError(f"{keyword} was read before, and its bytes are gone")
    return element.value or b""


def _encodings(dataset: Dataset) -> list[str]:
    declared: object = dataset.get("SpecificCharacterSet") or ""
    values: list[object] = [declared] if isinstance(declared, str) else list(cast(Any, declared))
    terms = [str(value).strip() for value in values]
    if terms in ([""], ["ISO_IR 6"]) or not all(term in python_encoding for term in terms):
        return ["utf_8"]
    return convert_encodings(terms)


def short_string(text: str) -> str:
    """Give a text that is a Short String (SH): one value of up to 16 characters, or nothing."""
    return _string(text, 16)


def long_string(text: str) -> str:
    """Give a text that is a Long String (LO): one value of up to 64 characters, or nothing."""
    return _string(text, 64)


def person_name(text: str) -> str:
    """Give a text that is a Person Name (PN), or nothing.

    It has up to three component groups (alphabetic, ideographic, phonetic) of up to 64 characters
    and five components (PS3.5 6.2.1).
    """
    groups = text.split("=")
    fits = all(len(group) <= 64 and group.count("^") <= 4 for group in groups)
    return text if fits and len(groups) <= 3 and _is_one_value(text) else ""


def date(text: str) -> str:
    """Give a date (DA) as YYYYMMDD, also from YYYY.MM.DD and YYYY-MM-DD; or nothing."""
    digits = re.sub(r"^(\d{4})([.-])(\d\d)\2(\d\d)$", r"\1\3\4", text)
    if not re.fullmatch(r"\d{8}", digits, re.ASCII):
        return ""
    try:
        datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return ""
    return digits


def time(text: str) -> str:
    """Give a time of day (TM) as HHMMSS.FFFFFF or its beginning, also from HH:MM:SS; or nothing."""
    digits = re.sub(r"^(\d\d):(\d\d)(:(\d\d(\.\d+)?))?$", r"\1\2\4", text)
    return digits if _TIME.fullmatch(digits) else ""


def sex(text: str) -> str:
    """Give one of the values of Patient's Sex (PS3.3 C.7.1.1): M, F or O; or nothing."""
    return text.upper() if text.upper() in ("M", "F", "O") else ""


CHECKS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "PatientName": person_name,
        "PatientID": long_string,
        "IssuerOfPatientID": long_string,
        "PatientBirthDate": date,
        "PatientSex": sex,
        "StudyDate": date,
        "StudyTime": time,
        "StudyID": short_string,
        "StudyDescription": long_string,
        "AccessionNumber": short_string,
        "ReferringPhysicianName": person_name,
    }
)
"""What is known of each attribute of patient and study that results take over."""


def _string(text: str, longest: int) -> str:
    return text if len(text) <= longest and _is_one_value(text) else ""


def _is_one_value(text: str) -> bool:
    return "\\" not in text and not any(unicodedata.category(mark) in _UNFIT for mark in text)
