"""Making any file name or message fit for a terminal or a text file.

A file name on Linux is bytes: it may hold control characters that would steer
a terminal, or bytes that are no text at all.
"""

from typing import TextIO


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
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


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
