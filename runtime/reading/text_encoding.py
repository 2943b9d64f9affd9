"""Text as spreadsheets and shells save it: UTF-8 or UTF-16, with or without a byte-order mark."""

import codecs

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def as_utf8(content: bytes) -> bytes:
    """Bring text to UTF-8 without a byte-order mark.

    UTF-16 is known by its mark, or by zeros in at least half of the places where its Latin letters
    have them, and nowhere else. Anything else is given back as it is, be it text or not.

    Raises
    ------
    UnicodeDecodeError
        It is UTF-16, and damaged or cut off.
    """
    if content.startswith(codecs.BOM_UTF8):
        return content.removeprefix(codecs.BOM_UTF8)
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding).encode()
    encoding = _unmarked_utf16(content)
    return content.decode(encoding).encode() if encoding else content


def _unmarked_utf16(content: bytes) -> str:
    low, high = content[::2].count(0), content[1::2].count(0)
    if min(low, high) or 4 * max(low, high) < len(content):
        return ""
    return ("utf-16-be" if low else "utf-16-le") if content else ""
