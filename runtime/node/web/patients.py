"""How the page names patients: by a digest, or by their ID where the configuration asks for it.

The ID is read from the image when it is shown; the database has the digest alone.
"""

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ...reading.dicom.header import silence
from ..data_folder import DataFolder
from ..state.rows import Instance

_DIGITS = 8
_REMEMBERED = 4096

_dcmread: Any = import_module("pydicom").dcmread  # its types are not whole


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
        with silence():
            header = _dcmread(path, stop_before_pixels=True, specific_tags=["PatientID"])
            return str(header.get("PatientID") or "")
    except Exception:
        # pydicom raises what it will over odd headers, and a name is no reason to show no page.
        return ""
