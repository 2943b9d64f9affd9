"""Files that survive a power failure: the order in which they are made safe is the node's promise.

Written beside, synchronised, renamed, the folder synchronised: only then does the name stand for
the whole file on every file system that keeps its word.
"""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from pydicom.uid import DeflatedExplicitVRLittleEndian

from ... import files
from ...reading.dicom.file import inflated_parts

PARTIAL = ".part"
"""Ends the names of files that are being written; a start removes them."""


def digest(transfer_syntax: str, dataset: bytes | Iterable[bytes]) -> str:
    """Tell datasets apart as they were received, whatever file meta information is put before.

    Of a deflated one, what it inflates to counts: who sends a file deflates it anew.

    Returns
    -------
    str
        SHA-256 of the transfer syntax, a zero byte and the encoded dataset, in hexadecimal.

    Raises
    ------
    UnreadableImage, ImageTooLarge
        The dataset cannot be inflated, or not within the limits of an image.
    """
    parts = [dataset] if isinstance(dataset, bytes) else dataset
    if transfer_syntax == DeflatedExplicitVRLittleEndian:
        parts = inflated_parts(b"".join(parts))
    return files.digest(chain([transfer_syntax.encode("ascii", "replace"), b"\0"], parts))


class Spool:
    """A folder of files that are written once.

    Not by `files.staged`, which refuses a second writer: here several callers may send one image at
    a time, each must get its Success, and the file's folder is synchronised, too.

    Parameters
    ----------
    folder
        Is made where it is absent.

    Raises
    ------
    OSError
        It cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where a file is."""
        return self.folder / name

    def write(self, name: str, content: bytes | Iterable[bytes]) -> None:
        """Make a file safe under a name; on return it is on the disk, and so is its name.

        Parameters
        ----------
        name
            The file's.
        content
            All of it, or its parts one after the other.

        Raises
        ------
        OSError
            The disk is full or broken; nothing half-written is left.
        """
        partial = self.folder / f"{name}.{os.getpid()}-{os.urandom(4).hex()}{PARTIAL}"
        try:
            with partial.open("xb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.folder / name)
            self._synchronise()
        finally:
            partial.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Delete a file; one that is gone already is no error."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Delete what an ended node left half-written; how many files."""
        left = list(self.folder.glob(f"*{PARTIAL}"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def names(self) -> frozenset[str]:
        """The names of all whole files."""
        return frozenset(
            entry.name for entry in os.scandir(self.folder) if not entry.name.endswith(PARTIAL)
        )

    def _synchronise(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
