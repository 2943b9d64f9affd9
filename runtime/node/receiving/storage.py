"""The answer to a C-STORE: Success only after file, folder and database are on the disk.

Statuses after PS3.4 B.2.3: A700 out of resources, A900 the object is another one than was
announced, C000 it cannot be understood.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Any

from ...errors import BrixiaEdgeError, StateError
from ..state.rows import IGNORED, QUEUED, Uptake
from ..state.store import Store
from .arrival import describe, split_file
from .contexts import CHEST_CLASSES
from .incoming import IncomingDataset
from .spool import Spool, digest

encode_file_meta: Any = import_module("pynetdicom.dsutils").encode_file_meta

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000

_PREAMBLE, _PREFIX = 128, b"DICM"  # PS3.10 7.1

_NOT_SCORED = "this SOP class holds no radiographs that are scored"


@dataclass(frozen=True)
class Taken:
    """What became of an object that arrived.

    Attributes
    ----------
    status
        The DICOM status to answer with.
    uptake
        How it was taken up; None where it was refused.
    sop_instance_uid
        Which object; empty where it could not be understood.
    reason
        Why it was refused; names nobody.
    """

    status: int
    uptake: Uptake | None
    sop_instance_uid: str = ""
    reason: str = ""


class Storage:
    """Makes objects safe and takes them up.

    Parameters
    ----------
    store, spool
        Where to.
    """

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store = store
        self._spool = spool
        self._key = bytes.fromhex(store.remembered("patient key"))
        # One at a time: parsing takes an object's length in memory again, or what it inflates to.
        self._describing = threading.Lock()

    def take(
        self,
        content: bytes | Callable[[], Iterable[bytes]],
        sha256: str,
        source: str,
        announced: tuple[str, str] | None = None,
    ) -> Taken:
        """Take up an object that has arrived whole.

        Parameters
        ----------
        content
            The file, or what gives its parts one after the other, each time anew.
        sha256
            See `spool.digest`.
        source
            Who sent it.
        announced
            SOP class and instance UID of the request, which must be the object's.
        """
        try:
            with self._describing:
                whole = content if isinstance(content, bytes) else b"".join(content())
                received = describe(whole, sha256, source, self._key)
                del whole
        except BrixiaEdgeError as error:
            return Taken(CANNOT_UNDERSTAND, None, reason=str(error))
        except OSError as error:
            return Taken(OUT_OF_RESOURCES, None, reason=_told(error))
        found = (received.sop_class_uid, received.sop_instance_uid)
        if announced is not None and announced != found:
            reason = "SOP class or instance UID differ between the request and the object"
            return Taken(DOES_NOT_MATCH, None, reason=reason)
        state = QUEUED if received.sop_class_uid in CHEST_CLASSES else IGNORED
        try:
            parts = content if isinstance(content, bytes) else content()
            self._spool.write(received.spool, parts)
            uptake = self._store.inbox.add(received, state, _NOT_SCORED if state == IGNORED else "")
        except (OSError, StateError) as error:
            # The file may stay: the next start adopts it, and a resent object is the same.
            return Taken(OUT_OF_RESOURCES, None, received.sop_instance_uid, _told(error))
        if uptake is Uptake.FINISHED:
            self._spool.remove(received.spool)
        return Taken(SUCCESS, uptake, received.sop_instance_uid)

    def take_upload(self, content: bytes) -> Taken:
        """Take up a file that came otherwise than by DICOM.

        Parameters
        ----------
        content
            A DICOM file, with or without file meta information.
        """
        try:
            with self._describing:
                sha256 = digest(*split_file(content))
        except BrixiaEdgeError as error:
            return Taken(CANNOT_UNDERSTAND, None, reason=str(error))
        return self.take(content, sha256, "http")

    def take_request(self, event: Any) -> Taken:
        """Take up the object of a C-STORE request, byte for byte as it was received.

        Parameters
        ----------
        event
            pynetdicom's ``EVT_C_STORE``.
        """
        request = event.request
        dataset: IncomingDataset = request.DataSet
        try:
            if dataset.fault is not None:
                raise dataset.fault
            sha256 = digest(str(event.context.transfer_syntax), dataset.chunks())
        except OSError as error:
            return Taken(OUT_OF_RESOURCES, None, reason=_told(error))
        except BrixiaEdgeError as error:
            return Taken(CANNOT_UNDERSTAND, None, reason=str(error))
        announced = (str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID))
        source = str(event.assoc.requestor.ae_title).strip()
        before = bytes(_PREAMBLE) + _PREFIX + encode_file_meta(event.file_meta)
        return self.take(lambda: chain([before], dataset.chunks()), sha256, source, announced)


def _told(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the image cannot be written: {error.strerror or type(error).__name__}"
    return str(error)
