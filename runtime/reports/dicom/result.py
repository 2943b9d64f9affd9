"""What all DICOM results have in common: how they are saved, and which text fits into them."""

from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID

from ...authorship import IMPLEMENTATION_UID, IMPLEMENTATION_VERSION, SOFTWARE
from ...files import digest, write_file
from ...plain_text import printable
from ...reading.dicom.header import silence
from ...results import ScoredRadiograph


def derived_uid(result: ScoredRadiograph, source_uid: str, what: str) -> str:
    """Name something that is made of a score, the same each time it is made (PS3.5 B.2).

    An answer that is made again, after a crash or by a second run, is so the same object to every
    archive, and not one more.

    Parameters
    ----------
    result
        The score; its bundle goes into the name, so that another model's answer is another object.
    source_uid
        SOP Instance UID of the radiograph.
    what
        Which of the things that are made of it.
    """
    return _derived(result.settings.bundle, source_uid, what)


def report_series_uid(bundle: str, source_uid: str) -> str:
    """Name the series of a structured report, as `derived_uid` does, by the bundle's digest."""
    return _derived(bundle, source_uid, "SR series")


def _derived(bundle: str, source_uid: str, what: str) -> str:
    told = f"{SOFTWARE}\0{what}\0{source_uid}\0{bundle}"
    return f"2.25.{int(digest(told.encode())[:32], 16)}"


def plain_text(text: str) -> str:
    """Make any text fit for any character set: ASCII, no control characters, and not empty."""
    return printable(text).encode("ascii", "backslashreplace").decode("ascii").strip() or "unknown"


def sign(dataset: Dataset) -> None:
    """Name this software in the file meta information, so that the object is never scored."""
    dataset.file_meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    dataset.file_meta.ImplementationVersionName = IMPLEMENTATION_VERSION


def encoded(dataset: Dataset) -> bytes:
    """A DICOM object as a file (PS3.10 7.1), of its dataset with file meta information."""
    stream = BytesIO()
    with silence():
        dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def save_dicom(dataset: Dataset, path: Path) -> None:
    """Save a DICOM file (PS3.10 7.1) that appears whole or not at all.

    Folders that an archive watches take up whatever ends up in them, at once.

    Parameters
    ----------
    dataset
        With its file meta information.
    path
        Where to save it, in a folder that exists; an earlier file is replaced.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    # Encoded first: pydicom puts a traceback into the reason for which a file cannot be written.
    write_file(path, encoded(dataset), overwrite=True)
