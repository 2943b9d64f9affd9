"""An answer is sent until it arrived, once, and confirmed where that is wanted."""

import socket
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from time import sleep, time
from types import SimpleNamespace
from typing import Any

import pytest
from brixia_edge.runtime.node.configuration import Configuration
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.operating.node import CommitmentOf, Node
from brixia_edge.runtime.node.receiving.admission import Admission
from brixia_edge.runtime.node.receiving.server import start_server
from brixia_edge.runtime.node.sending import dimse as dimse_module
from brixia_edge.runtime.node.sending import standing as standing_module
from brixia_edge.runtime.node.sending.commitment import CommitmentReports, request_commitment
from brixia_edge.runtime.node.sending.dimse import DimseTransport, end
from brixia_edge.runtime.node.sending.outcome import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Verdict,
    of_status,
    pause,
)
from brixia_edge.runtime.node.sending.sender import Confirmation, Sender
from brixia_edge.runtime.node.signals import Signals
from brixia_edge.runtime.node.state.rows import AnswerObject, Delivery, Received, Result
from brixia_edge.runtime.reports.dicom.result import encoded
from brixia_edge.runtime.reports.dicom.secondary_capture import secondary_capture
from brixia_edge.runtime.reports.material import Material
from brixia_edge.runtime.results import ScoredRadiograph
from node_doubles import SECONDARY_CAPTURE, Archive, dcmread, wait_until
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

IMAGE = Received("1.2.3", "ab", "1.2.840", "1.2", 5, "XR1", "1.9", "", "", "a.dcm")


@pytest.fixture
def answers(data: DataFolder, scored_dicom: Callable[..., ScoredRadiograph]) -> Sequence[str]:
    """Two answers on their way to the archive ``pacs``; their UIDs."""
    data.store.inbox.add(IMAGE)
    instance = data.store.inbox.next_to_score("newest")
    assert instance is not None
    objects: list[AnswerObject] = []
    for number in (1, 2):
        dataset = secondary_capture(Material(scored_dicom()))
        dataset.SOPInstanceUID = f"2.25.{number}"
        data.objects.write(f"{number}.dcm", encoded(dataset))
        uid = str(dataset.SOPInstanceUID)
        objects.append(AnswerObject("capture", uid, SECONDARY_CAPTURE, f"{number}.dcm", "digest"))
    result = Result("digest", "{}")
    data.store.inbox.finish(instance.id, result, objects, [("pacs", ("capture",))])
    return [each.sop_instance_uid for each in objects]


@pytest.fixture
def sender(configure: Callable[..., Configuration], data: DataFolder) -> Callable[..., Sender]:
    def make(archive: Archive, confirmation: Confirmation | None = None, **more: str) -> Sender:
        (destination,) = configure(archive, **more).destinations
        transport = DimseTransport("BRIXIA", destination, configure().node.tls)
        reports = CommitmentReports(data.store.outbox, ["pacs"])
        asked = CommitmentOf(transport, reports) if destination.commit else confirmation
        return Sender("pacs", transport, data, Signals(("pacs",)), asked)

    return make


def states(data: DataFolder) -> dict[str, int]:
    return data.store.views.counts().deliveries["pacs"]


def make_due(data: DataFolder) -> None:
    """Let the pauses of all that waits be over."""
    for delivery in data.store.outbox.due("pacs", time() + 10**6):
        data.store.outbox.retry_later(delivery.id, delivery.last_error, 0.0)


class _Stuck:
    """An association whose release waits for a thread that has paused."""

    is_established, acse_timeout = True, 0.0

    def __init__(self) -> None:
        self.dul = SimpleNamespace(socket=None)
        self.aborted = Event()

    def release(self) -> None:
        self.aborted.wait()

    def abort(self, block: bool) -> None:
        assert not block
        self.aborted.set()


def test_a_release_that_never_ends_holds_no_sender_up() -> None:
    stuck = _Stuck()
    ending = Thread(target=end, args=(stuck,), daemon=True)
    ending.start()
    ending.join(60.0)
    assert not ending.is_alive()
    assert stuck.aborted.is_set()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every association that is asked for, established or not."""
    found: list[Any] = []
    honest = DimseTransport.associate

    def associate(transport: DimseTransport, *values: Any) -> Any:
        association = honest(transport, *values)
        found.append(association)
        return association

    monkeypatch.setattr(DimseTransport, "associate", associate)
    return found


def add_answer(data: DataFolder, number: int) -> None:
    """One more on its way, of another image; its file is there already."""
    data.store.inbox.add(replace(IMAGE, sop_instance_uid=f"1.2.3.{number}"))
    instance = data.store.inbox.next_to_score("newest")
    assert instance is not None
    entry = AnswerObject("capture", f"2.25.9.{number}", SECONDARY_CAPTURE, "1.dcm", "digest")
    data.store.inbox.finish(instance.id, Result("digest", "{}"), [entry], [("pacs", ("capture",))])


@pytest.mark.usefixtures("answers")
def test_answers_go_over_the_association_that_was_opened_while_they_were_made(
    data: DataFolder, sender: Callable[..., Sender], opened: list[Any]
) -> None:
    due = data.store.outbox.due("pacs", time())
    for each in due:
        data.store.outbox.retry_later(each.id, "", time() + LONGEST_PAUSE)
    with Archive().open() as archive:
        sending = sender(archive)
        assert not sending.step()
        assert opened == []
        sending.signals.answering.set()
        assert not sending.step()
        assert len(opened) == 1
        make_due(data)
        sending.step()
        add_answer(data, 1)
        sending.step()
        assert len(opened) == 1
        sending.transport.end()
    assert states(data) == {"done": 3}


def test_no_part_of_an_answer_waits_for_the_archive_to_acknowledge_the_part_before(
    configure: Callable[..., Configuration],
) -> None:
    with Archive().open() as archive:
        (destination,) = configure(archive).destinations
        transport = DimseTransport("BRIXIA", destination, configure().node.tls)
        association = transport.associate([("1.2.840.10008.1.1", None)])
        connection = association.dul.socket.socket
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        end(association)


@pytest.mark.usefixtures("answers")
def test_an_association_that_the_archive_ended_is_opened_anew_at_once(
    data: DataFolder, sender: Callable[..., Sender], opened: list[Any]
) -> None:
    with Archive().open() as archive:
        sending = sender(archive)
        sending.step()
        archive.hang_up()
        wait_until(lambda: not opened[0].is_established)
        add_answer(data, 1)
        sending.step()
        sending.transport.end()
    assert states(data) == {"done": 3}
    assert len(opened) == 2


def test_an_archive_that_is_away_is_not_called_without_need(
    sender: Callable[..., Sender], opened: list[Any], data: DataFolder
) -> None:
    archive = Archive()
    sending = sender(archive)
    sending.signals.answering.set()
    for _ in range(3):
        sending.step()
    assert len(opened) == 1
    (data.objects.folder / "1.dcm").write_bytes(b"")
    add_answer(data, 1)
    sending.step()
    assert len(opened) == 2
    assert states(data) == {"waiting": 1}


def test_an_association_that_nobody_uses_is_ended(
    sender: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[object] = []
    monkeypatch.setattr(dimse_module, "end", ended.append)
    monkeypatch.setattr(standing_module, "SECONDS_UNUSED", -1.0)
    with Archive().open() as archive:
        sending = sender(archive)
        sending.signals.answering.set()
        sending.step()
        assert ended == []
        sending.signals.answering.clear()
        sending.step()
        (association,) = ended
        end(association)


def test_answers_arrive_once(
    sender: Callable[..., Sender], data: DataFolder, answers: Sequence[str]
) -> None:
    with Archive().open() as archive:
        sending = sender(archive)
        assert sending.step()
        assert not sending.step()
    assert sorted(archive.kept) == sorted(answers)
    assert states(data) == {"done": 2}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_answers_arrive_as_they_are_or_in_the_syntax_that_the_archive_takes(
    sender: Callable[..., Sender], data: DataFolder, answers: Sequence[str], syntax: str
) -> None:
    with Archive(syntaxes=[syntax]).open() as archive:
        sender(archive).step()
    assert states(data) == {"done": 2}
    written = [dcmread(data.objects.path(f"{number}.dcm")) for number in (1, 2)]
    assert sorted(archive.kept) == sorted(answers)
    assert [_values(each) for each in archive.objects] == [_values(each) for each in written]


def _values(dataset: Dataset) -> dict[str, object]:
    return {element.keyword: element.value for element in dataset if element.VR != "SQ"}


def test_an_archive_that_is_not_there_is_tried_again(
    sender: Callable[..., Sender], data: DataFolder, answers: Sequence[str]
) -> None:
    archive = Archive()
    sending = sender(archive)
    sending.step()
    assert states(data) == {"waiting": 2}
    assert data.store.outbox.due("pacs", time()) == []
    make_due(data)
    with archive.open():
        sending.step()
    assert sorted(archive.kept) == sorted(answers)


@pytest.mark.usefixtures("answers")
def test_out_of_resources_passes_and_a_refusal_is_parked(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    with Archive(answers=[0xA700, 0xC000, 0x0000]).open() as archive:
        sending = sender(archive)
        sending.step()
        assert states(data) == {"waiting": 1, "parked": 1}
        make_due(data)
        sending.step()
        assert states(data) == {"done": 1, "parked": 1}
        assert [event.kind for event in data.store.views.events()] == ["parked"]
        data.store.outbox.retry_parked("pacs")
        sending.step()
    assert states(data) == {"done": 2}
    assert len(archive.kept) == 2


@pytest.mark.usefixtures("answers")
def test_an_archive_that_stores_and_hangs_up_gets_the_same_object_again(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    with Archive(answers=["hang up", 0x0000]).open() as archive:
        sending = sender(archive)
        sending.step()
        make_due(data)
        sending.step()
    assert states(data) == {"done": 2}
    # The same UID: for the archive it is one object, however often it comes.
    assert len(set(archive.kept)) == 2


@pytest.mark.usefixtures("answers")
def test_an_archive_that_takes_no_such_object_is_told_to_a_person(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    with Archive().open(takes=["1.2.840.10008.5.1.4.1.1.1"]) as archive:
        sender(archive).step()
    assert states(data) == {"parked": 2}


@pytest.mark.usefixtures("answers")
def test_storage_commitment_is_awaited_on_the_same_association(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    with Archive(commitment="same").open() as archive:
        sender(archive, destination="commit = true").step()
        wait_until(lambda: states(data) == {"done": 2})


@pytest.mark.usefixtures("answers")
def test_storage_commitment_is_taken_on_an_association_that_the_archive_opens(
    sender: Callable[..., Sender], data: DataFolder, configure: Callable[..., Configuration]
) -> None:
    archive = Archive(commitment="new")
    configuration = configure(archive, destination="commit = true")
    section = configuration.node
    # Below the reserve, as it is when most waits to be confirmed.
    admission = Admission(section, configuration.callers, lambda: False)
    reports = CommitmentReports(data.store.outbox, ["pacs"])
    server = start_server(section, admission, lambda _: 0xA700, reports.handle)
    archive.report_to = ("BRIXIA", section.listen.port)
    try:
        with archive.open():
            sender(archive, destination="commit = true").step()
            wait_until(lambda: states(data) == {"done": 2})
            wait_until(lambda: archive.heard == [0x0000])
    finally:
        server.shutdown()


@pytest.mark.usefixtures("answers")
def test_a_confirmation_is_answered_before_the_association_ends(
    configure: Callable[..., Configuration], data: DataFolder
) -> None:
    with Archive(commitment="same").open() as archive:
        (destination,) = configure(archive).destinations
        transport = DimseTransport("BRIXIA", destination, configure().node.tls)
        due = data.store.outbox.due("pacs", time())
        assert request_commitment(transport, due, "2.25.7", lambda _: sleep(0.5)) == ""
        wait_until(lambda: archive.heard)
    assert archive.heard == [0x0000]


def test_what_an_archive_does_not_keep_is_sent_again(
    sender: Callable[..., Sender], data: DataFolder, answers: Sequence[str]
) -> None:
    with Archive(commitment="same", loses={answers[0]}).open() as archive:
        sending = sender(archive, destination="commit = true")
        sending.step()
        wait_until(lambda: states(data) == {"done": 1, "waiting": 1})
        archive.loses.clear()
        assert data.store.outbox.due("pacs", time()) == []  # not at once: it may index late
        make_due(data)
        sending.step()
        wait_until(lambda: states(data) == {"done": 2})
    assert archive.kept.count(answers[0]) == 2


@pytest.mark.usefixtures("answers")
def test_without_a_confirmation_answers_stay_unconfirmed(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    with Archive(commitment="never").open() as archive:
        sending = sender(archive, destination="commit = true")
        sending.step()
    assert states(data) == {"committing": 2}
    assert data.store.inbox.expired(time() + 10**9) == []


class _Busy:
    """An archive that takes no request for its confirmation, or reports in its own time."""

    def __init__(self, reason: str = "") -> None:
        self.reason, self.transactions = reason, list[str]()

    def request(self, deliveries: Sequence[Delivery], transaction_uid: str) -> str:
        assert deliveries
        self.transactions.append(transaction_uid)
        return self.reason

    def new_transaction(self) -> str:
        return f"2.25.{len(self.transactions) + 7}"


def ask_at(data: DataFolder, moment: float) -> None:
    """Set when every confirmation is asked for again."""
    with sqlite3.connect(data.root / "node.sqlite") as database:
        database.execute("UPDATE outbox SET next_at = ?", (moment,))
    database.close()


@pytest.mark.usefixtures("answers")
def test_a_confirmation_put_off_while_the_clock_ran_ahead_is_asked_for_again(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    busy = _Busy()
    with Archive().open() as archive:
        sending = sender(archive, confirmation=busy)
        for moment in (time() + 900, time() + 4 * 365 * 86400):
            sending.step()
            ask_at(data, moment)
        assert len(busy.transactions) == 1
        sending.step()
    assert len(busy.transactions) == 2


@pytest.mark.usefixtures("answers")
def test_a_request_that_is_refused_is_made_ever_more_rarely_and_told_once(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    busy = _Busy("the archive refuses the request for storage commitment")
    with Archive().open() as archive:
        sending = sender(archive, confirmation=busy)
        for _ in range(5):
            sending.step()
            ask_at(data, 0)
    assert len(busy.transactions) == 5
    assert {each.attempts for each in data.store.outbox.unconfirmed("pacs")} == {5}
    assert [event.kind for event in data.store.views.events()] == ["commitment"] * 2


@pytest.mark.usefixtures("answers")
def test_a_report_that_comes_after_it_was_asked_for_again_counts(
    sender: Callable[..., Sender], data: DataFolder
) -> None:
    busy = _Busy()
    with Archive().open() as archive:
        sending = sender(archive, confirmation=busy)
        for _ in range(3):
            sending.step()
            ask_at(data, 0)
    report = Dataset()
    report.TransactionUID = busy.transactions[0]
    report.ReferencedSOPSequence = [Dataset(), Dataset()]
    for item, number in zip(report.ReferencedSOPSequence, (1, 2), strict=True):
        item.ReferencedSOPInstanceUID = f"2.25.{number}"
    CommitmentReports(data.store.outbox, ["pacs"]).take(report)
    assert states(data) == {"done": 2}


def test_an_archive_that_freezes_in_the_middle_of_a_pdu_holds_nobody_up(
    configure: Callable[..., Configuration],
) -> None:
    archive = Archive()
    with socket.create_server(("127.0.0.1", archive.port)) as frozen:
        (destination,) = configure(archive).destinations
        transport = DimseTransport("BRIXIA", destination, configure().node.tls)
        told: list[str] = []
        asking = Thread(target=lambda: told.append(transport.echo()), daemon=True)
        asking.start()
        connection, _ = frozen.accept()
        connection.sendall(b"\x02\x00\x00")
        asking.join(60.0)
        connection.close()
    assert told == ["the archive cannot be reached, or ended the association"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (0x0111, Verdict.DELIVERED),
        (0x0000, Verdict.DELIVERED),
        (0xB000, Verdict.DELIVERED),
        (0xB006, Verdict.DELIVERED),
        (0xA700, Verdict.TRANSIENT),
        (0x0110, Verdict.TRANSIENT),
        (0xA900, Verdict.PERMANENT),
        (0xC000, Verdict.PERMANENT),
        (0x0122, Verdict.PERMANENT),
    ],
)
def test_statuses_are_judged_as_the_standard_means_them(status: int, verdict: Verdict) -> None:
    assert of_status(status).verdict is verdict


def test_pauses_grow_from_five_seconds_to_a_quarter_of_an_hour() -> None:
    found = [pause(attempts) for attempts in range(40)]
    assert 0.9 * FIRST_PAUSE <= found[0] <= FIRST_PAUSE == 5.0
    assert all(each <= LONGEST_PAUSE == 900.0 for each in found)
    assert found[-1] >= 0.9 * LONGEST_PAUSE


def test_a_lost_file_of_an_answer_is_told(
    sender: Callable[..., Sender], data: DataFolder, answers: Sequence[str], tmp_path: Path
) -> None:
    del answers, tmp_path
    data.objects.remove("1.dcm")
    with Archive().open() as archive:
        sender(archive).step()
    assert states(data) == {"done": 1, "parked": 1}


@pytest.mark.usefixtures("answers")
def test_what_waits_for_a_confirmation_that_is_wanted_no_more_has_arrived(
    sender: Callable[..., Sender], configure: Callable[..., Configuration], data: DataFolder
) -> None:
    with Archive(commitment="never").open() as archive:
        sender(archive, destination="commit = true").step()
        asking = Node(configure(archive, destination="commit = true"))
        asking.start()
        asking.stop()
        assert states(data) == {"committing": 2}
        node = Node(configure(archive))
        node.start()
        node.stop()
    assert states(data) == {"done": 2}
    assert len(archive.kept) == 2
