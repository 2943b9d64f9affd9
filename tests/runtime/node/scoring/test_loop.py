"""Images become answers; whatever happens to the process that scores, the queue goes on."""

import json
import sqlite3
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.errors import StateError
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.receiving.storage import Storage
from brixia_edge.runtime.node.scoring import loop as loop_module
from brixia_edge.runtime.node.scoring import process as process_module
from brixia_edge.runtime.node.scoring.loop import ScoringLoop, ScoringPlan
from brixia_edge.runtime.node.scoring.process import ScoringSettings
from brixia_edge.runtime.node.signals import Signals
from make_models import tiny_model
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType] - not wholly typed
from pydicom.dataset import Dataset

TROUBLED = """
import glob, os, sys, time
sys.path[:] = sys.argv[1:]
from brixia_edge.runtime.errors import BackendUnavailable
from brixia_edge.runtime.node.scoring import child
from brixia_edge.runtime.sources.isolated import IsolatedSource
def wait(true):
    until = time.monotonic() + 60
    while not true():
        if time.monotonic() > until:
            os.abort()
        time.sleep(0.01)
honest = child.Scorer.score_prepared
def score(self, prepared):
    path = prepared.file
    content = path.read_bytes()
    if b"CRASH" in content:
        os.abort()
    if b"LOST" in content and not os.path.exists(f"{path}.lost"):
        open(f"{path}.lost", "w").close()
        raise BackendUnavailable("the GPU did not take the work")
    if b"HELD" in content:
        wait(lambda: os.path.exists(path.parent.parent / "go"))
    if b"NEXT" in content:
        wait(lambda: len(glob.glob(str(path.parent.parent / "read-*"))) > 1)
    return honest(self, prepared)
child.Scorer.score_prepared = score
reading = IsolatedSource._ask
def ask(self, path):
    prepared = reading(self, path)
    open(path.parent.parent / f"read-{path.name}", "w").close()
    return prepared
IsolatedSource._ask = ask
child.main()
"""
"""A scoring process over which an image's comment has power."""


@pytest.fixture
def signals() -> Signals:
    return Signals(("pacs",))


@pytest.fixture
def plan(data: DataFolder, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> ScoringPlan:
    monkeypatch.setattr(loop_module, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(process_module, "_START", TROUBLED)
    settings = ScoringSettings(tiny_bundle.root, "onnxruntime", 1, data.objects.folder)
    return ScoringPlan(settings, "received", (("pacs", ("sr", "capture")),))


@pytest.fixture
def loop(plan: ScoringPlan, data: DataFolder, signals: Signals) -> Generator[ScoringLoop]:
    found = ScoringLoop(plan, data.store, data.images, signals)
    yield found
    found.end()


@pytest.fixture
def receive(data: DataFolder, image: Callable[..., bytes]) -> Callable[..., str]:
    """Take an image up; gives its UID."""
    storage = Storage(data.store, data.images)

    def take(number: int, **elements: object) -> str:
        storage.take(image(number, **elements), f"{number:064x}", "XR1")
        return f"1.2.840.99.1.1.{number}"

    return take


def state(data: DataFolder, uid: str) -> tuple[str, str]:
    found = data.store.views.instance(uid)
    assert found is not None
    return found.instance.state, found.instance.reason


def work(loop: ScoringLoop, times: int = 12) -> None:
    for _ in range(times):
        loop.step()


def test_an_image_is_scored_and_answered_under_its_own_patient(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    uid = receive(1)
    assert loop.step()
    found = data.store.views.instance(uid)
    assert found is not None
    assert found.score is not None
    score = json.loads(found.score)
    assert score["sop_instance_uid"] == uid
    assert "file" not in score
    assert {each.kind for each in found.deliveries} == {"sr", "capture"}
    for each in found.deliveries:
        answer = dcmread(data.objects.path(each.file))
        assert str(answer.PatientName) == "SECRET^PERSON"
        assert answer.SOPInstanceUID == each.sop_instance_uid


def test_what_answers_cannot_take_over_stands_beside_the_score(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    uid = receive(1, PatientSex="X")
    assert loop.step()
    found = data.store.views.instance(uid)
    assert found is not None
    assert found.score is not None
    told = ["PatientSex was left out: it is none of M, F and O"]
    assert json.loads(found.score)["remarks"] == told


def report_of(data: DataFolder, uid: str) -> Dataset:
    found = data.store.views.instance(uid)
    assert found is not None
    (file,) = (each.file for each in found.deliveries if each.kind == "sr")
    return dcmread(data.objects.path(file))


def test_a_report_refers_to_the_one_before_of_the_same_patient(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    days = {"AcquisitionDate": "20200129"}, {"AcquisitionDate": "20200130"}
    oldest, older = receive(1, **days[0]), receive(2, **days[1])
    other = receive(3, PatientID="ANOTHER", AcquisitionDate="20200131")
    uid = receive(4, AcquisitionDate="20200131")
    work(loop, 4)
    before = report_of(data, older)
    (study,) = report_of(data, uid).CurrentRequestedProcedureEvidenceSequence
    references = {
        (series.SeriesInstanceUID, item.ReferencedSOPInstanceUID)
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert (before.SeriesInstanceUID, before.SOPInstanceUID) in references
    assert len(references) == 2  # with the image
    for alone in (oldest, other):
        (study,) = report_of(data, alone).CurrentRequestedProcedureEvidenceSequence
        assert len(study.ReferencedSeriesSequence) == 1


def test_an_answer_made_again_has_the_same_uid(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    uid = receive(1)
    loop.step()
    first = data.store.views.instance(uid)
    assert first is not None
    with sqlite3.connect(data.root / "node.sqlite") as database:
        database.execute("UPDATE instances SET state = 'queued'")  # as after a crash
    database.close()
    loop.step()
    again = data.store.views.instance(uid)
    assert again is not None
    assert len(again.deliveries) == 2
    assert {d.sop_instance_uid for d in again.deliveries} == {
        d.sop_instance_uid for d in first.deliveries
    }


def test_what_cannot_be_scored_fails_with_its_reason(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    uid = receive(1, BodyPartExamined="FOOT")
    loop.step()
    told, reason = state(data, uid)
    assert told == "failed"
    assert "BodyPartExamined" in reason


def test_an_image_that_crashes_the_process_three_times_is_failed_and_the_queue_goes_on(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    crashing, plain = receive(1, ImageComments="CRASH"), receive(2)
    work(loop)
    assert state(data, crashing) == ("failed", "ended the process that scored it 3 times")
    assert state(data, plain)[0] == "scored"


def attempts(data: DataFolder, uid: str) -> int:
    found = data.store.views.instance(uid)
    assert found is not None
    return found.instance.attempts


def test_no_image_answers_for_a_crash_over_another(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    """Two are at hand when the process ends: it must not be guessed which one ended it."""
    before, crashing, after = receive(1), receive(2, ImageComments="CRASH"), receive(3)
    work(loop)
    assert [state(data, uid)[0] for uid in (before, crashing, after)] == [
        "scored",
        "failed",
        "scored",
    ]
    assert [attempts(data, uid) for uid in (before, crashing, after)] == [0, 3, 0]


def test_an_image_is_answered_while_the_next_one_is_scored(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    first, held = receive(1), receive(2, ImageComments="HELD")
    loop.step()
    assert (state(data, first)[0], state(data, held)[0]) == ("scored", "scoring")
    assert len(data.store.outbox.due("pacs", time())) == 2
    (data.root / "go").touch()
    loop.step()
    assert state(data, held)[0] == "scored"


def test_an_image_is_read_while_the_one_before_is_scored(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    waiting, read = receive(1, ImageComments="NEXT"), receive(2)
    work(loop, 2)
    assert [state(data, uid)[0] for uid in (waiting, read)] == ["scored", "scored"]
    assert attempts(data, waiting) == 0


def test_no_more_than_two_images_are_out_of_the_queue(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    for number in range(1, 5):
        receive(number)
    loop.step()
    loop.step()
    assert data.store.views.counts().instances == {"scored": 2, "scoring": 1, "queued": 1}


def test_the_newest_is_next_though_older_ones_wait(
    plan: ScoringPlan, data: DataFolder, signals: Signals, receive: Callable[..., str]
) -> None:
    newest = ScoringLoop(replace(plan, order="newest"), data.store, data.images, signals)
    uids = [receive(number) for number in (1, 2, 3)]
    try:
        newest.step()
        uids.append(receive(4))
        newest.step()
    finally:
        newest.end()
    # The second was read already when the fourth came.
    assert [state(data, uid)[0] for uid in uids] == ["queued", "scored", "scored", "scoring"]


def test_images_at_hand_are_finished_when_the_node_ends(
    loop: ScoringLoop, data: DataFolder, signals: Signals, receive: Callable[..., str]
) -> None:
    for number in (1, 2, 3):
        receive(number)
    loop.took = lambda _: signals.end()
    loop.run()
    assert data.store.views.counts().instances == {"scored": 2, "queued": 1}


def test_a_device_that_is_lost_fails_no_image_and_is_opened_anew(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    uid = receive(1, ImageComments="LOST")
    loop.step()
    assert state(data, uid) == ("queued", "")
    (event,) = data.store.views.events()
    assert (event.kind, event.text) == ("cannot score", "the GPU did not take the work")
    assert loop.unwell == "the GPU did not take the work"
    loop.step()
    assert state(data, uid)[0] == "scored"


def test_a_bundle_that_is_gone_is_told_and_loses_no_image(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str], tiny_bundle: Bundle
) -> None:
    uid = receive(1)
    model = tiny_bundle.model
    content = model.read_bytes()
    model.unlink()
    assert not loop.step()
    assert state(data, uid)[0] == "queued"
    assert data.store.views.events()[-1].kind == "cannot score"
    assert "model.onnx" in loop.unwell
    model.write_bytes(content)
    assert loop.step()
    assert not loop.unwell
    assert state(data, uid)[0] == "scored"


def test_another_bundle_is_taken_with_the_next_image(
    loop: ScoringLoop,
    data: DataFolder,
    receive: Callable[..., str],
    tiny_bundle: Bundle,
    tmp_path: Path,
) -> None:
    receive(1)
    loop.step()
    second = replace(tiny_bundle.manifest, name="second")
    other = write_bundle(tmp_path / "second", second, {"model.onnx": tiny_model()})
    loop.chosen = lambda: other.root
    receive(2)
    loop.step()
    newest = data.store.views.latest()
    used = [json.loads(each.score or "")["settings"]["bundle"] for each in newest]
    assert used == [other.digest, tiny_bundle.digest]
    assert loop.bundle == other.digest


def test_a_full_disk_puts_the_image_back(
    loop: ScoringLoop, data: DataFolder, receive: Callable[..., str]
) -> None:
    loop.step()  # the process is to run before its folder is gone
    uid = receive(1)
    data.objects.folder.rmdir()
    loop.step()
    assert state(data, uid)[0] == "queued"
    assert data.store.views.events()[-1].kind == "disk"
    data.objects.folder.mkdir()
    work(loop, 2)
    assert state(data, uid)[0] == "scored"


def test_a_score_that_the_database_does_not_take_is_made_again(
    loop: ScoringLoop,
    data: DataFolder,
    signals: Signals,
    receive: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the disk fills up between the answer and its row."""
    uid = receive(1)

    def full(*_: object) -> None:
        raise StateError("the database cannot be written: disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(data.store.inbox, "finish", full)
        with pytest.raises(StateError):
            loop.run()
    assert state(data, uid)[0] == "scoring"
    loop.took = lambda _: signals.end()
    late = threading.Timer(60.0, signals.end)
    late.start()
    loop.run()
    late.cancel()
    assert state(data, uid)[0] == "scored"


def test_a_file_of_a_guest_is_scored_between_and_nothing_kept(
    loop: ScoringLoop, data: DataFolder, image: Callable[..., bytes], tmp_path: Path
) -> None:
    file = tmp_path / "guest.dcm"
    file.write_bytes(image(7))
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(loop.score_file(file, 60.0)))
    asking.start()
    while asking.is_alive():
        loop.step()
    (found,) = answers
    assert isinstance(found, dict)
    assert "score" in found
    assert data.store.views.counts().instances == {}
    assert not data.objects.names()


def test_guests_are_told_to_come_again_when_scoring_ends(
    loop: ScoringLoop, signals: Signals, tmp_path: Path
) -> None:
    answers: list[Mapping[str, Any]] = []
    asking = threading.Thread(
        target=lambda: answers.append(loop.score_file(tmp_path / "guest", 600.0)), daemon=True
    )
    asking.start()
    signals.received.wait(20)
    signals.end()
    loop.turn_guests_away()
    asking.join(20)
    answers.append(loop.score_file(tmp_path / "late", 600.0))
    assert [each["error"]["type"] for each in answers] == ["Busy", "Busy"]
