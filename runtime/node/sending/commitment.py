"""Storage commitment (PS3.4 Annex J): the archive says that it keeps what it was sent.

The request is an N-ACTION with a transaction UID; the answer an N-EVENT-REPORT, on the same
association or on a new one that the archive opens to us.
"""

import uuid
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Event
from time import monotonic, time
from typing import Any

from pydicom.dataset import Dataset

from ..state.outbox import Outbox
from ..state.rows import Delivery
from .dimse import DimseTransport, end
from .outcome import of_status, pause

PUSH_MODEL = "1.2.840.10008.1.20.1"
_PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"
_REQUEST = 1
_WAIT_SAME_ASSOCIATION = 2.0  # seconds; archives that answer at once do so within these

evt: Any = import_module("pynetdicom.events")


def request_commitment(
    transport: DimseTransport,
    deliveries: Sequence[Delivery],
    transaction_uid: str,
    report: Callable[[Dataset], None],
) -> str:
    """Ask an archive to confirm; empty where it took the request, else why not.

    Parameters
    ----------
    transport
        The way to the archive.
    deliveries
        What it was sent.
    transaction_uid
        Names the request.
    report
        Is given the N-EVENT-REPORT's information where it comes on the same association.
    """
    listener = _Listener(report)
    association = transport.associate([(PUSH_MODEL, None)], listener.handlers)
    if not association.is_established:
        return "the archive takes no requests for storage commitment"
    try:
        status, _ = association.send_n_action(
            _information(deliveries, transaction_uid), _REQUEST, PUSH_MODEL, _PUSH_MODEL_INSTANCE
        )
        if "Status" not in status or status.Status != 0:
            return "the archive refuses the request for storage commitment"
        listener.wait(association)
        return ""
    except (RuntimeError, ValueError) as error:
        return f"storage commitment cannot be asked for ({type(error).__name__})"
    finally:
        end(association)


class _Listener:
    """Hears a report on the association of its request, and waits until it is answered.

    A release that overtakes the answer ends pynetdicom's thread, and the archive gets none.
    """

    def __init__(self, report: Callable[[Dataset], None]) -> None:
        self._report = report
        self._heard, self._taken, self._answered = Event(), Event(), Event()
        self.handlers = [(evt.EVT_N_EVENT_REPORT, self._hear), (evt.EVT_PDU_SENT, self._sent)]

    def wait(self, association: Any) -> None:
        """Wait for the report, at most 2 s, and for our answer to it."""
        until = monotonic() + _WAIT_SAME_ASSOCIATION
        while not self._heard.wait(0.05) and association.is_established and monotonic() < until:
            pass
        while self._heard.is_set() and association.is_established:
            if self._answered.wait(0.05):
                return

    def _hear(self, event: Any) -> tuple[int, None]:
        self._heard.set()
        try:
            self._report(event.event_information)
        finally:
            self._taken.set()
        return 0x0000, None

    def _sent(self, event: Any) -> None:
        del event
        if self._taken.is_set():
            self._answered.set()


def new_transaction() -> str:
    """A transaction UID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def _information(deliveries: Sequence[Delivery], transaction_uid: str) -> Dataset:
    information = Dataset()
    information.TransactionUID = transaction_uid
    information.ReferencedSOPSequence = [_reference(each) for each in deliveries]
    return information


def _reference(delivery: Delivery) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = delivery.sop_class_uid
    item.ReferencedSOPInstanceUID = delivery.sop_instance_uid
    return item


class CommitmentReports:
    """Takes up what archives report, whichever association it comes on.

    Parameters
    ----------
    outbox
        Where deliveries are.
    destinations
        Names of those that are asked to confirm.
    """

    def __init__(self, outbox: Outbox, destinations: Sequence[str]) -> None:
        self._outbox = outbox
        self._destinations = tuple(destinations)

    def take(self, information: Dataset) -> None:
        """Take up an N-EVENT-REPORT's information (PS3.4 J.3.3)."""
        transaction = str(information.get("TransactionUID") or "")
        kept = {_uid(item) for item in information.get("ReferencedSOPSequence") or ()}
        failed = {
            _uid(item): int(item.get("FailureReason") or 0x0110)
            for item in information.get("FailedSOPSequence") or ()
        }
        for name in self._destinations:
            for delivery in self._outbox.unconfirmed(name):
                if transaction not in delivery.transaction_uids:
                    continue
                if delivery.sop_instance_uid in failed:
                    self._failed(delivery, failed[delivery.sop_instance_uid])
                elif delivery.sop_instance_uid in kept:
                    self._outbox.delivered(delivery.id)

    def handle(self, event: Any) -> tuple[int, None]:
        """Answer ``EVT_N_EVENT_REPORT``."""
        self.take(event.event_information)
        return 0x0000, None

    def _failed(self, delivery: Delivery, reason: int) -> None:
        """Not kept: sent again where that may help (PS3.3 C.14)."""
        told = f"the archive does not keep the answer ({reason:04X})"
        # 0112 no such object: it lost it, so it gets it again.
        if reason in (0x0112, 0x0110, 0x0213) or of_status(reason).reason == "":
            self._outbox.retry_later(delivery.id, told, time() + pause(delivery.attempts))
        else:
            self._outbox.park(delivery.id, told)


def _uid(item: Dataset) -> str:
    return str(item.get("ReferencedSOPInstanceUID") or "")
