"""Text in a header: by the character sets that the file declares, or else by rule.

PS3.3 C.12.1.1.2 lists the sets and their terms; PS3.5 6.1.2.5 has escape sequences switch between
them. Files break both. So, in this order:

1. A misspelt term is taken for the one that it is meant for, as ``ISO-8859-1`` for ``ISO_IR 100``.
2. An escape sequence names its set by itself, and is followed whether the set is declared or not.
3. What is not of the declared sets, or where none is declared not ASCII, is UTF-8 if it can be.
4. Else it is ISO_IR 100, unless that makes control characters of it.
5. Else it is no text.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from pydicom.charset import (
    CODES_TO_ENCODINGS,
    convert_encodings,
    decode_bytes,
    default_encoding,
    python_encoding,
)
from pydicom.dataset import Dataset
from pydicom.valuerep import TEXT_VR_DELIMS

from ...errors import UnreadableImage
from .header import refusing_value

NAME_DELIMITERS = (ord("^"), ord("="))
"""Where escape sequences end in a Person Name (PS3.5 6.1.2.5.3)."""

_NO_TERM = "holds a term that does not exist, and was left aside"

_ESCAPE = b"\x1b"
_LASTING = (b"$B", b"$(D", b"$)A")
"""Sequences of sets that files go on with beyond a delimiter; Python's codecs do, too."""

_GB2312 = b"\x1b$)A"
"""The escape sequence of ISO 2022 IR 58, which pydicom 3.0.2 leaves in the text."""

_LATIN_1 = "ISO_IR 100"
_REPLACEMENT = "\ufffd"
"""What pydicom puts where bytes are not of the declared character set."""

_C1 = re.compile(r"[\x80-\x9f]")


def _bare(term: str) -> str:
    return re.sub("[^A-Z0-9]", "", term)


_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        **{_bare(term): term for term in python_encoding if term},
        **dict.fromkeys(("ASCII", "USASCII", "ISO646"), "ISO_IR 6"),
        **dict.fromkeys(("ISO88591", "LATIN1"), _LATIN_1),
        **dict.fromkeys(("ISO88592", "LATIN2"), "ISO_IR 101"),
        **dict.fromkeys(("ISO88593", "LATIN3"), "ISO_IR 109"),
        **dict.fromkeys(("ISO88594", "LATIN4"), "ISO_IR 110"),
        **dict.fromkeys(("ISO88595", "CYRILLIC"), "ISO_IR 144"),
        **dict.fromkeys(("ISO88596", "ARABIC"), "ISO_IR 127"),
        **dict.fromkeys(("ISO88597", "GREEK"), "ISO_IR 126"),
        **dict.fromkeys(("ISO88598", "HEBREW"), "ISO_IR 138"),
        **dict.fromkeys(("ISO88599", "LATIN5"), "ISO_IR 148"),
        **dict.fromkeys(("ISO885911", "TIS620", "THAI"), "ISO_IR 166"),
        **dict.fromkeys(("UTF8", "UNICODE"), "ISO_IR 192"),
        **dict.fromkeys(("SHIFTJIS", "SJIS"), "ISO_IR 13"),
        "GB2312": "GBK",
    }
)
"""Defined terms by what is left of them, and of other names of their sets, without punctuation."""


@dataclass(frozen=True)
class CharacterSets:
    """The character sets that a file declares.

    Attributes
    ----------
    terms
        The defined terms (PS3.3 C.12.1.1.2), the first of them for text without escape sequences;
        none where the file declares none that exists.
    remark
        What was wrong with the declaration, or an empty text.
    """

    terms: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Text:
    """A text, and how sure its characters are.

    Attributes
    ----------
    text
        Without padding.
    guessed
        The set that was assumed because the declared ones do not fit, or an empty text.
    """

    text: str
    guessed: str = ""


def character_sets(dataset: Dataset) -> CharacterSets:
    """Tell which character sets a dataset declares."""
    try:
        with refusing_value("SpecificCharacterSet"):
            value: object = dataset.get("SpecificCharacterSet") or ""
    except UnreadableImage:
        return CharacterSets(remark=_NO_TERM)
    values: list[object] = [value] if isinstance(value, str) else list(cast(Any, value))
    written = [str(term).strip(" \0").upper() for term in values]
    terms = [_ALIASES.get(_bare(term), "") for term in written]
    if any(term and not known for term, known in zip(written, terms, strict=True)):
        return CharacterSets(remark=_NO_TERM)
    if not any(terms):
        return CharacterSets()
    told = "" if terms == written else f"is misspelt and was taken for {' and '.join(terms)}"
    return CharacterSets(tuple(terms), told)


def decode(stored: bytes, sets: CharacterSets, is_name: bool = False) -> Text | None:
    """Decode the bytes of a text element by the rule of this module.

    Parameters
    ----------
    stored
        The bytes of the element.
    sets
        What the file declares.
    is_name
        Whether it is a Person Name, whose components end escape sequences.

    Returns
    -------
    Text or None
        None where the bytes are no text.
    """
    padded = stored.strip(b" \0")
    if padded.isascii() and _ESCAPE not in padded:
        return Text(padded.decode("ascii"))
    text = _as_declared(padded, sets, is_name)
    if text is not None:
        return Text(text)
    return None if _ESCAPE in padded else _undeclared(padded)


def _as_declared(stored: bytes, sets: CharacterSets, is_name: bool) -> str | None:
    escaped = [CODES_TO_ENCODINGS[code] for code in CODES_TO_ENCODINGS if code in stored]
    declared = convert_encodings(list(sets.terms)) if sets.terms else [default_encoding]
    delimiters = NAME_DELIMITERS if is_name else TEXT_VR_DELIMS
    # The default repertoire is ASCII; pydicom takes Latin-1 for it.
    if declared[0] == default_encoding and not _outside_escapes(stored, delimiters).isascii():
        return None
    try:
        text = decode_bytes(stored, [*declared, *escaped], set(delimiters))
    except UnicodeError:
        return None
    text = text.replace(_GB2312.decode(), "")
    return None if _REPLACEMENT in text or "\x1b" in text else text


def _outside_escapes(stored: bytes, delimiters: Collection[int]) -> bytes:
    """Give the bytes that no escape sequence speaks for: it does up to the next delimiter."""
    ends = re.compile(b"[" + re.escape(bytes(delimiters)) + b"]")
    before, *escaped = stored.split(_ESCAPE)
    after = (ends.split(part, 1)[1:] for part in escaped if not part.startswith(_LASTING))
    return b"".join((before, *(rest for parts in after for rest in parts)))


def _undeclared(stored: bytes) -> Text | None:
    try:
        return Text(stored.decode("utf-8"))
    except UnicodeError:
        text = stored.decode("latin-1")
        return None if _C1.search(text) else Text(text, _LATIN_1)
