"""How the page names patients: by a digest, or by their ID where the configuration asks for it.

The ID is read from the image when it is shown; the database has the digest alone.
"""

from functools import lru_cache
from pathlib import Path

from ...errors import BrixiaEdgeError
from ...files import open_regular
from ...reading.dicom.file import parse_beginning
from ...reading.dicom.header import silence
from ..data_folder import DataFolder
from ..state.rows import Instance

_DIGITS = 8
_REMEMBERED = 4096


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
    """PatientID as it stands in a file; nothing where it cannot be read."""
    try:
        with silence(), open_regular(path) as file:
            return "\\".join(parse_beginning(file).written("PatientID"))
    except (OSError, BrixiaEdgeError):
        # A name is no reason to show no page.
        return ""
