"""What a node has around it: modalities that send, archives that take, refuse, or vanish."""

import socket
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

from pydicom.dataset import Dataset

pynetdicom: Any = import_module("pynetdicom")
evt: Any = import_module("pynetdicom.events")
dcmread: Any = import_module("pydicom").dcmread

STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
SECONDS_TO_WAIT = 5
"""How long nodes of tests wait for an answer, unless they are told otherwise."""

COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to become true; how long it may take is no statement of any speed."""
    until = monotonic() + seconds
    while not true():
        assert monotonic() < until, "it did not become true"
        sleep(0.02)


def send(port: int, *contents: bytes, calling: str = "XR1", called: str = "BRIXIA") -> list[int]:
    """Send DICOM files as a modality does; the statuses, or none where it is not let in."""
    from io import BytesIO

    datasets = [dcmread(BytesIO(content), force=True) for content in contents]
    entity: Any = pynetdicom.AE(ae_title=calling)
    for dataset in datasets:
        entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        return []
    try:
        statuses = [association.send_c_store(dataset) for dataset in datasets]
        return [int(status.Status) if "Status" in status else -1 for status in statuses]
    finally:
        if association.is_established:
            association.release()


def echo(port: int, calling: str = "XR1", called: str = "BRIXIA") -> bool:
    """Whether a C-ECHO is answered."""
    entity: Any = pynetdicom.AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 15
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate("127.0.0.1", port, ae_title=called)
    if not association.is_established:
        return False
    found = association.send_c_echo()
    association.release()
    return "Status" in found and found.Status == 0


@dataclass
class Archive:
    """An archive; what it does with an object is decided by `answers`, the last one for ever.

    Attributes
    ----------
    port
        Where it listens.
    answers
        Statuses to answer with; ``hang up`` closes the association after the object was kept,
        ``nothing`` is silent for longer than a node waits, ``freeze`` till it is closed.
    kept
        UIDs of all objects kept, in order, also twice.
    commitment
        ``same``, ``new`` or ``never``: how it confirms.
    loses
        UIDs that it says it does not keep.
    report_to
        AE title and port for confirmations on a new association.
    reports
        What it confirmed.
    syntaxes
        Transfer syntaxes that it takes; None for the usual ones. Where some are named, it keeps
        `objects`, too.
    hang_up
        Ends all associations.
    asked
        Set when it is to keep an object.
    closed
        Set when it is.
    heard
        Statuses that answered its confirmations on the same association; -1 for no answer.
    """

    port: int = field(default_factory=free_port)
    answers: list[Any] = field(default_factory=lambda: [0x0000])
    kept: list[str] = field(default_factory=list[str])
    commitment: str = "same"
    loses: set[str] = field(default_factory=set[str])
    report_to: tuple[str, int] = ("BRIXIA", 0)
    reports: list[Dataset] = field(default_factory=list[Dataset])
    heard: list[int] = field(default_factory=list[int])
    syntaxes: list[str] | None = None
    objects: list[Dataset] = field(default_factory=list[Dataset])
    hang_up: Callable[[], object] = lambda: None
    asked: Event = field(default_factory=Event)
    closed: Event = field(default_factory=Event)

    @contextmanager
    def open(
        self, takes: Iterable[str] = (COMPREHENSIVE_3D_SR, SECONDARY_CAPTURE)
    ) -> Generator["Archive"]:
        """Listen while the block lasts."""
        entity: Any = pynetdicom.AE(ae_title="PACS")
        for sop_class in takes:
            entity.add_supported_context(sop_class, self.syntaxes)
        entity.add_supported_context("1.2.840.10008.1.1")
        entity.add_supported_context(STORAGE_COMMITMENT)
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_N_ACTION, self._action)]
        server = entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        self.hang_up = lambda: [each.abort() for each in server.active_associations]
        try:
            yield self
        finally:
            self.closed.set()
            server.shutdown()

    def _store(self, event: Any) -> int:
        self.asked.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer in {0, "hang up"}:
            self.kept.append(str(event.request.AffectedSOPInstanceUID))
            if self.syntaxes is not None:
                self.objects.append(event.dataset)
        if answer == "nothing":
            sleep(3 * SECONDS_TO_WAIT)
            return 0xA700
        if answer == "freeze":
            self.closed.wait()
            return 0xA700
        if answer == "hang up":
            event.assoc.abort()
            return 0x0000
        return int(answer)

    def _action(self, event: Any) -> tuple[int, None]:
        asked = event.action_information
        report = Dataset()
        report.TransactionUID = asked.TransactionUID
        lost = [item for item in asked.ReferencedSOPSequence if self._loses(item)]
        kept = [item for item in asked.ReferencedSOPSequence if not self._loses(item)]
        report.ReferencedSOPSequence = kept
        for item in lost:
            item.FailureReason = 0x0112
        if lost:
            report.FailedSOPSequence = lost
        self.reports.append(report)
        if self.commitment == "same":
            _soon(lambda: self._report_here(event.assoc, report, bool(lost)))
        elif self.commitment == "new":
            _soon(lambda: self._report(report, bool(lost)))
        return 0x0000, None

    def _loses(self, item: Dataset) -> bool:
        uid = str(item.ReferencedSOPInstanceUID)
        return uid in self.loses

    def _report_here(self, association: Any, report: Dataset, lost: bool) -> None:
        found, _ = association.send_n_event_report(report, 1 + lost, *_PUSH_MODEL)
        self.heard.append(int(found.Status) if "Status" in found else -1)

    def _report(self, report: Dataset, lost: bool) -> None:
        """On an association of its own, as the service's provider (PS3.4 J.3.3)."""
        build_role: Any = pynetdicom.build_role
        entity: Any = pynetdicom.AE(ae_title="PACS")
        entity.add_requested_context(STORAGE_COMMITMENT)
        role = build_role(STORAGE_COMMITMENT, scp_role=True)
        title, port = self.report_to
        association = entity.associate("127.0.0.1", port, ae_title=title, ext_neg=[role])
        if association.is_established:
            self._report_here(association, report, lost)
            association.release()


_PUSH_MODEL = (STORAGE_COMMITMENT, "1.2.840.10008.1.20.1.1")


def _soon(work: Callable[[], object]) -> None:
    """After the answer to the request is out."""
    import threading

    threading.Timer(0.2, work).start()


def toml(data: Path, port: int, http_port: int, archive: Archive | None = None, **more: str) -> str:
    """A node's configuration: one modality, and one archive or none."""
    node = "".join(f"{key} = {value}\n" for key, value in more.items() if key != "destination")
    text = f"""
[node]
listen = "127.0.0.1:{port}"
data = "{data}"
reserve = "1MB"
{node}
[http]
listen = "127.0.0.1:{http_port}"
[score]
backend = "onnxruntime"
bundle = "BUNDLE"
[[source]]
ae_title = "XR1"
host = "127.0.0.1"
"""
    if archive is None:
        return text
    return f"""{text}
[[destination]]
name = "pacs"
ae_title = "PACS"
host = "127.0.0.1"
port = {archive.port}
timeout = {SECONDS_TO_WAIT}
{more.get("destination", "")}
"""
