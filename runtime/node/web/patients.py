"""How the page names patients: by a digest, or by their ID where the configuration asks for it.

The ID is read from the image when it is shown; the database has the digest alone.
"""

from functools import lru_cache
from pathlib import Path

from ...errors import BrixiaEdgeError
from ...files import open_regular
from ...reading.dicom.file import parse_beginning
from ...reading.dicom.header import Header, refusing_value, silence
from ..data_folder import DataFolder
from ..state.rows import Instance

_DIGITS = 8
_REMEMBERED = 4096
_LONGEST = 64  # characters, as an LO may have (PS3.5 6.2)


def patient_shown(instance: Instance, data: DataFolder, by_id: bool) -> str:
    """What stands for an image's patient: the ID, or the first digits of the digest.

    Parameters
    ----------
    instance
        The image.
    data
        Where its file is; one that is gone by retention tells no ID.
    by_id
        `[http] show_names` of the configuration.
    """
    known = _patient_id(data.images.path(instance.spool)) if by_id else ""
    return known or instance.patient[:_DIGITS]


@lru_cache(maxsize=_REMEMBERED)
def _patient_id(path: Path) -> str:
    """PatientID as it stands in a file; nothing where it cannot be read, or is no text."""
    try:
        with silence(), open_regular(path) as file:
            return _printable(_text(parse_beginning(file)))
    except (OSError, BrixiaEdgeError):
        # A name is no reason to show no page.
        return ""


def _text(header: Header) -> str:
    with refusing_value("PatientID"):
        # A sequence's text would be all that it holds, such as a name.
        if "PatientID" in header and header.dataset["PatientID"].VR == "SQ":
            return ""
    return "\\".join(header.written("PatientID"))


def _printable(text: str) -> str:
    """Cut to what an ID may have; nothing in it can turn the page's text around or break it."""
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return "".join(each if each.isprintable() else "\ufffd" for each in cut)
