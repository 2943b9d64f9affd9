r"""Making any text fit for where it goes: a file's name, a bundle's, a reader's, a message.

A file name on Linux is bytes: it may hold control characters that would steer a terminal, or bytes
that are no text at all. Names in bundles and tables are whatever somebody wrote. So every text has
one function for each place that it goes to:

=================  ============================================================================
a terminal         `printable` for what must stay on its line, `printable_lines` for several
a CSV table        `spreadsheet_text`, which `reports.csv_rows.CsvRows` calls for every cell
Markdown           `markdown_text`
HTML               Jinja's escaping, after `printable_lines`
JSON               `json_text`
a stream           `encodable`, last of all, for what its encoding lacks
=================  ============================================================================
"""

import json
import re
from typing import TextIO

_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would compute, also in the wide signs of East Asia."""

_LONGEST_VALUE = 80
"""Characters of somebody else's value that a message shows."""

_MARKUP = re.compile(r"([\\`*_<>|\[\]])")


def printable(text: str) -> str:
    r"""Replace control characters, line breaks and stray bytes by escapes such as ``\x1b``.

    Parameters
    ----------
    text
        Any text, for example a file name.

    Returns
    -------
    str
        One line that shows the same and does nothing to a terminal.
    """
    return _escaped(text, keep="")


def shortened(text: str) -> str:
    """Escape as `printable` does, and keep of a long text its beginning, with an ellipsis."""
    shown = printable(text)
    return shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}..."


def printable_lines(text: str) -> str:
    """Escape as `printable` does, and keep line breaks."""
    return _escaped(text, keep="\n")


def spreadsheet_text(text: str) -> str:
    """Make a cell of a CSV table that neither a spreadsheet computes nor a terminal obeys.

    What would be a formula begins with an apostrophe, as spreadsheets themselves mark text. Line
    breaks and tabulators, which CSV can hold, are kept.
    """
    escaped = _escaped(text, keep="\n\r\t")
    return f"'{escaped}" if _FORMULA.match(escaped) else escaped


def markdown_text(text: str) -> str:
    """Make text of GitHub's Markdown that stays within its line or cell and is no markup."""
    return _MARKUP.sub(r"\\\1", printable(text))


def json_text(content: object) -> str:
    r"""Make indented strict JSON, in ASCII: stray bytes are written as ``\udcff``.

    Raises
    ------
    ValueError
        A number is not finite; JSON has no word for it.
    """
    return json.dumps(content, indent=2, allow_nan=False)


def encodable(text: str, stream: TextIO) -> str:
    r"""Replace what the stream's encoding lacks by escapes such as ``\u2764``.

    Parameters
    ----------
    text
        Any text; line breaks are kept.
    stream
        The stream it is meant for; one without an encoding takes everything UTF-8 has.
    """
    # io.StringIO answers None here, against its annotation.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _escaped(text: str, keep: str) -> str:
    return "".join(
        character
        if character.isprintable() or character in keep
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
