"""Values of a foreign header, checked before they go into a DICOM object of our own.

A value is copied when it is what its value representation (PS3.5 6.2) allows, and repaired where
the meaning is beyond doubt. Of a name the alphabetic group is kept where the others cannot be, of a
description what fits. An identifier is copied whole or left out: one that was cut to fit would name
another patient. Whatever is not as it was is told, by the element's keyword and never by its value.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import VR

from ...reading.dicom.text import CharacterSets, Text, decode

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", re.ASCII)
_UNFIT = ("Cc", "Cs")
"""Unicode categories of control characters and of surrogates, which are no text."""

_BLANKS = " \0\t\n\v\f\r"
_BLANK_CONTROLS = re.compile(r" *[\0\t\n\v\f\r][ \0\t\n\v\f\r]*")
"""Control characters that mean a space or nothing, with the spaces round them."""

_LONGEST_STRING = 64
_LONGEST_GROUP = 64
_MOST_COMPONENTS = 5
_MOST_GROUPS = 3


@dataclass(frozen=True)
class Taken:
    """What is taken over of an element.

    Attributes
    ----------
    value
        A valid value, or an empty text where there is none.
    remarks
        What became of it where it is not as it was: clauses that follow the element's keyword.
    """

    value: str
    remarks: tuple[str, ...] = ()


def take_over(dataset: Dataset, keyword: str, sets: CharacterSets) -> Taken:
    """Take over an element of patient or study.

    The bytes are taken as text whatever value representation the file gives them.

    Parameters
    ----------
    dataset
        A dataset whose element has not been read yet.
    keyword
        Which of `CHECKS`.
    sets
        The character sets that the file declares.
    """
    stored = stored_bytes(dataset, keyword)
    is_name = CHECKS[keyword] is person_name
    text = decode(stored, sets, is_name)
    if text is None:
        return _alphabetic_group(stored, sets) if is_name else _left_out("it cannot be decoded")
    return _guessed(CHECKS[keyword](text.text), text)


def _alphabetic_group(stored: bytes, sets: CharacterSets) -> Taken:
    """Take over the first group of a name of which another cannot be decoded (PS3.5 6.2.1)."""
    text = decode(stored.partition(b"=")[0], sets, is_name=True)
    taken = person_name(text.text) if text else Taken("")
    if text is None or not taken.value:
        return _left_out("it cannot be decoded")
    alone = "keeps its alphabetic group alone: another cannot be decoded"
    return _guessed(Taken(taken.value, (*taken.remarks, alone)), text)


def _guessed(taken: Taken, text: Text) -> Taken:
    if not (text.guessed and taken.value):
        return taken
    guess = f"was read as {text.guessed}, since it is of no character set that the file declares"
    return Taken(taken.value, (*taken.remarks, guess))


def stored_bytes(dataset: Dataset, keyword: str) -> bytes:
    """Give the bytes of an element, none where it is absent or a sequence.

    Raises
    ------
    TypeError
        The element was read before, and its bytes are gone.
    """
    if keyword not in dataset:
        return b""
    element = dataset.get_item(keyword)
    if element.VR == VR.SQ:
        return b""
    if not isinstance(element, RawDataElement):
        raise TypeError(f"{keyword} was read before, and its bytes are gone")
    return element.value or b""


def identifier(text: str, longest: int) -> Taken:
    """Take a text for one value of up to so many characters, whole or not at all."""
    trimmed = text.strip(_BLANKS)
    reason = _why_unfit(trimmed, longest)
    return _left_out(reason) if reason else Taken(trimmed, _lost_controls(text, trimmed))


short_string = partial(identifier, longest=16)
"""A Short String (SH): one value of up to 16 characters."""

long_string = partial(identifier, longest=_LONGEST_STRING)
"""A Long String (LO): one value of up to 64 characters."""


def description(text: str) -> Taken:
    """Take a text for a Long String that people read: on one line, cut where it is too long."""
    line = _BLANK_CONTROLS.sub(" ", text).strip()
    reason = _why_unfit(line[:_LONGEST_STRING], _LONGEST_STRING)
    if reason:
        return _left_out(reason)
    cut = (f"was cut to {_LONGEST_STRING} characters",) if len(line) > _LONGEST_STRING else ()
    return Taken(line[:_LONGEST_STRING].strip(), _lost_controls(text, line) + cut)


def person_name(text: str) -> Taken:
    """Take a text for a Person Name (PN).

    It has up to three component groups (alphabetic, ideographic, phonetic) of up to 64 characters
    and five components (PS3.5 6.2.1).
    """
    line = _BLANK_CONTROLS.sub(" ", text).strip()
    groups = line.split("=")
    reasons = [_why_no_group(group) for group in groups]
    if "\\" in line or reasons[0]:
        return _left_out(_SEVERAL if "\\" in line else reasons[0])
    lost = _lost_controls(text, line)
    reason = next(filter(None, reasons), "")
    if len(groups) > _MOST_GROUPS:
        reason = reason or f"it has {len(groups)} groups, {_MOST_GROUPS} at most are allowed"
    if not reason:
        return Taken(line, lost)
    if not groups[0]:
        return _left_out(reason)
    return Taken(groups[0], (*lost, f"keeps its alphabetic group alone: {reason}"))


def date(text: str) -> Taken:
    """Take a date (DA) as YYYYMMDD, also from YYYY.MM.DD and YYYY-MM-DD."""
    digits = re.sub(r"^(\d{4})([.-])(\d\d)\2(\d\d)$", r"\1\3\4", text)
    return Taken(digits) if _is_date(digits) else _left_out_unless_empty(text, "it is no date")


def _is_date(digits: str) -> bool:
    if not re.fullmatch(r"\d{8}", digits, re.ASCII):
        return False
    try:
        datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return False
    return True


def time(text: str) -> Taken:
    """Take a time of day (TM) as HHMMSS.FFFFFF or its beginning, also from HH:MM:SS."""
    digits = re.sub(r"^(\d\d):(\d\d)(:(\d\d(\.\d+)?))?$", r"\1\2\4", text)
    if _TIME.fullmatch(digits):
        return Taken(digits)
    return _left_out_unless_empty(text, "it is no time of day")


def sex(text: str) -> Taken:
    """Take one of the values of Patient's Sex (PS3.3 C.7.1.1): M, F or O."""
    if text.upper() in ("M", "F", "O"):
        return Taken(text.upper())
    return _left_out_unless_empty(text, "it is none of M, F and O")


CHECKS: Mapping[str, Callable[[str], Taken]] = MappingProxyType(
    {
        "PatientName": person_name,
        "PatientID": long_string,
        "IssuerOfPatientID": long_string,
        "PatientBirthDate": date,
        "PatientSex": sex,
        "StudyDate": date,
        "StudyTime": time,
        "StudyID": short_string,
        "StudyDescription": description,
        "AccessionNumber": short_string,
        "ReferringPhysicianName": person_name,
    }
)
"""What is known of each attribute of patient and study that results take over."""

_SEVERAL = "it holds several values"
_CONTROLS = "it holds control characters"


def _why_unfit(text: str, longest: int) -> str:
    if "\\" in text:
        return _SEVERAL
    if any(unicodedata.category(mark) in _UNFIT for mark in text):
        return _CONTROLS
    if len(text) > longest:
        return f"it has {len(text)} characters, {longest} at most are allowed"
    return ""


def _why_no_group(group: str) -> str:
    components = group.count("^") + 1
    if components > _MOST_COMPONENTS:
        return f"it has {components} components, {_MOST_COMPONENTS} at most are allowed"
    return _why_unfit(group, _LONGEST_GROUP)


def _lost_controls(text: str, kept: str) -> tuple[str, ...]:
    """Tell of control characters that made room for a space, or for nothing."""
    return ("lost control characters",) if _BLANK_CONTROLS.search(text) and kept else ()


def _left_out(reason: str) -> Taken:
    return Taken("", (f"was left out: {reason}",))


def _left_out_unless_empty(text: str, reason: str) -> Taken:
    return _left_out(reason) if text.strip("\0 ") else Taken("")
