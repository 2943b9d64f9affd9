"""Datasets as they come: of images on the disk, so that ten senders do not fill the memory.

pynetdicom's own way to do so (its setting STORE_RECV_CHUNKED_DATASET) ends a thread where the disk
is full, answers nobody, and leaves the file. Here the fault waits until the request has arrived
whole.
"""

import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage

_READ_AT_ONCE = 2**18


class IncomingDataset(BytesIO):
    """The dataset of a message: of a C-STORE request in a file without a name, else in memory.

    Parameters
    ----------
    message
        Tells its kind before the first byte of its dataset comes.
    folder
        On which disk.

    Attributes
    ----------
    fault
        Why the file could not be written; what came afterwards is not kept.
    """

    def __init__(self, message: Any, folder: Path) -> None:
        super().__init__()
        self._message, self._folder = message, folder
        self._file: IO[bytes] | None = None
        self.fault: OSError | None = None

    def write(self, content: Any) -> int:
        """Keep what comes next."""
        if not isinstance(self._message, C_STORE_RQ):
            return super().write(content)
        if self.fault is None:
            try:
                self._append(content)
            except OSError as error:
                self.fault = error
                self._discard()
        return len(content)

    def getvalue(self) -> bytes:
        """The whole of it."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The whole of it, piece by piece, as often as it is asked for.

        Raises
        ------
        OSError
            It cannot be read.
        """
        if self._file is None:
            yield super().getvalue()
            return
        self._file.seek(0)
        while piece := self._file.read(_READ_AT_ONCE):
            yield piece

    def _append(self, content: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - lives as long as this
        # Without a buffer a write may take less than it was given.
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]

    def _discard(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class IncomingMessages(DIMSEServiceProvider):
    """Puts messages together as pynetdicom does, but for where their datasets are kept."""

    def __init__(self, association: Any, folder: Path) -> None:
        super().__init__(association)
        self._folder = folder

    def receive_primitive(self, primitive: Any) -> None:
        """Take the next part of a message, or the first of another."""
        if self.message is None:
            self.message = DIMSEMessage()
            self.message.data_set = IncomingDataset(self.message, self._folder)
        super().receive_primitive(primitive)
