"""What all DICOM results have in common: who made them, and how they are saved."""

from importlib.metadata import version
from pathlib import Path

from pydicom.dataset import Dataset

from ...files import staged
from ...reading.dicom.header import silence
from ...results import RESEARCH_USE
from ..plain_text import printable

MANUFACTURER = "brixia-edge"
"""Stands for the software in Manufacturer and Manufacturer's Model Name (PS3.3 C.7.5.1)."""

SERIES_DESCRIPTION = f"Brixia score - {RESEARCH_USE}"
"""What a list of series shows; a Long String, so of at most 64 characters."""


def software_version() -> str:
    """Give the version of brixia-edge."""
    return version("brixia-edge")


def plain_text(text: str) -> str:
    """Make any text fit for any character set: ASCII, no control characters, and not empty."""
    return printable(text).encode("ascii", "backslashreplace").decode("ascii").strip() or "unknown"


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
    with silence(), staged(path, overwrite=True) as file:
        dataset.save_as(file, enforce_file_format=True)
