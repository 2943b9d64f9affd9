"""The node's memory: every image in exactly one state, every answer sent until it arrived."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from time import time

import pytest
from brixia_edge.runtime.errors import StateError
from brixia_edge.runtime.node.state.inbox import MOST_CRASHES
from brixia_edge.runtime.node.state.rows import (
    IGNORED,
    AnswerObject,
    Received,
    Result,
    Uptake,
)
from brixia_edge.runtime.node.state.store import Store

IMAGE = Received("1.2.3", "ab", "1.2.840", "1.2", 5, "XR1", "1.9", "patient", "2020-01-31", "a.dcm")
ANSWER = AnswerObject("sr", "2.25.1", "1.2.840.88", "sr.dcm", "cd")
TO = (("pacs", ("sr", "capture")), ("archive", ("capture",)))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def scored(store: Store) -> None:
    store.inbox.add(IMAGE)
    instance = store.inbox.next_to_score("received")
    assert instance is not None
    store.inbox.finish(instance.id, Result("digest", "{}"), [ANSWER], TO)


def test_the_same_image_is_one_image_and_another_of_its_uid_is_kept_apart(store: Store) -> None:
    assert store.inbox.add(IMAGE) is Uptake.ADDED
    assert store.inbox.add(IMAGE) is Uptake.REPEATED
    other = replace(IMAGE, sha256="other", spool="b.dcm")
    assert store.inbox.add(other) is Uptake.CONFLICT
    assert store.inbox.add(other) is Uptake.REPEATED
    counts = store.views.counts()
    assert counts.instances == {"queued": 1, "conflict": 1}
    assert counts.repeats == 2
    assert [event.kind for event in store.views.events()] == ["conflict"]


@pytest.mark.parametrize(("order", "first"), [("newest", "1.2.5"), ("received", "1.2.3")])
def test_the_queue_gives_in_the_order_that_is_wanted(store: Store, order: str, first: str) -> None:
    for uid in ("1.2.3", "1.2.4", "1.2.5"):
        store.inbox.add(replace(IMAGE, sop_instance_uid=uid))
    found = store.inbox.next_to_score(order)
    assert found is not None
    assert (found.sop_instance_uid, found.state) == (first, "scoring")


def test_an_image_that_crashes_its_process_three_times_is_failed(store: Store) -> None:
    store.inbox.add(IMAGE)
    for crash in range(MOST_CRASHES):
        instance = store.inbox.next_to_score("newest")
        assert instance is not None
        assert store.inbox.scoring_crashed(instance.id) == (crash == MOST_CRASHES - 1)
    assert store.inbox.next_to_score("newest") is None
    found = store.views.instance("1.2.3")
    assert found is not None
    assert found.instance.reason == "ended the process that scored it 3 times"
    assert store.inbox.requeue() == 1
    assert store.inbox.next_to_score("newest") is not None


def test_answers_go_to_those_who_get_their_kind(store: Store) -> None:
    scored(store)
    assert [each.sop_instance_uid for each in store.outbox.due("pacs", time())] == ["2.25.1"]
    assert store.outbox.due("archive", time()) == []


def test_an_answer_made_again_after_a_crash_is_the_same(store: Store) -> None:
    scored(store)
    found = store.views.instance("1.2.3")
    assert found is not None
    store.inbox.finish(found.instance.id, Result("digest", "{}"), [ANSWER], TO)
    assert len(store.outbox.due("pacs", time())) == 1


def test_a_failed_delivery_waits_and_a_parked_one_until_it_is_asked_for(store: Store) -> None:
    scored(store)
    (delivery,) = store.outbox.due("pacs", time())
    store.outbox.retry_later(delivery.id, "not there", time() + 100)
    assert store.outbox.due("pacs", time()) == []
    (again,) = store.outbox.due("pacs", time() + 101)
    assert (again.attempts, again.last_error) == (1, "not there")
    store.outbox.park(delivery.id, "will not have it")
    assert store.outbox.due("pacs", time() + 10**6) == []
    assert store.outbox.retry_parked("archive") == 0
    assert store.outbox.retry_parked() == 1
    assert len(store.outbox.due("pacs", time())) == 1


def test_an_answer_put_off_while_the_clock_ran_ahead_is_due_once_it_is_right(store: Store) -> None:
    scored(store)
    (delivery,) = store.outbox.due("pacs", time())
    years = 4 * 365 * 86400
    store.outbox.retry_later(delivery.id, "away", time() + years)
    assert len(store.outbox.due("pacs", time())) == 1
    store.outbox.retry_later(delivery.id, "away", time() + 900)
    assert store.outbox.due("pacs", time()) == []


def test_how_long_an_answer_took_to_arrive_is_told(store: Store) -> None:
    scored(store)
    took: list[float] = []
    store.outbox.took = took.append
    (delivery,) = store.outbox.due("pacs", time())
    store.outbox.committing(delivery, "2.25.3", time())
    assert took == []
    store.outbox.delivered(delivery.id)
    assert len(took) == 1


def test_what_was_being_scored_is_queued_again(store: Store, tmp_path: Path) -> None:
    store.inbox.add(IMAGE)
    store.inbox.next_to_score("newest")
    store.close()
    again = Store.open(tmp_path)
    assert again.inbox.recover() == 1
    assert again.views.counts().instances == {"queued": 1}


def test_nothing_expires_that_is_under_way(store: Store) -> None:
    scored(store)
    store.inbox.add(replace(IMAGE, sop_instance_uid="1.2.4"))
    store.inbox.add(replace(IMAGE, sop_instance_uid="1.2.5"), IGNORED, "no radiograph")
    later = time() + 1
    assert [each.sop_instance_uid for each in store.inbox.expired(later)] == ["1.2.5"]
    (delivery,) = store.outbox.due("pacs", later)
    store.outbox.delivered(delivery.id)
    expired = [each.sop_instance_uid for each in store.inbox.expired(later)]
    assert sorted(expired) == ["1.2.3", "1.2.5"]
    assert store.inbox.expired(0.0) == []


def test_retention_counts_from_the_last_answers_arrival(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(store)
    (delivery,) = store.outbox.due("pacs", time())
    arrived = time() + 1000
    monkeypatch.setattr("brixia_edge.runtime.node.state.outbox.time", lambda: arrived)
    store.outbox.delivered(delivery.id)
    assert store.inbox.expired(arrived - 1) == []
    assert len(store.inbox.expired(arrived + 1)) == 1


def test_the_latest_events_are_kept(store: Store) -> None:
    for number in range(5):
        store.views.note("kind", str(number))
    store.views.forget_events(2)
    assert [event.text for event in store.views.events()] == ["3", "4"]
    store.views.note("kind", "5")
    assert [event.id for event in store.views.events()] == [4, 5, 6]


def test_a_failed_image_is_discarded_and_its_conflict_scored_instead(store: Store) -> None:
    store.inbox.add(IMAGE)
    store.inbox.add(replace(IMAGE, sha256="other", spool="b.dcm"))
    assert store.inbox.requeue("1.2.3") == 0
    instance = store.inbox.next_to_score("newest")
    assert instance is not None
    store.inbox.fail(instance.id, "no pixels")
    assert store.inbox.discard("1.2.3") == 1
    (expired,) = store.inbox.expired(time() + 1)
    assert (expired.state, expired.reason) == ("ignored", "discarded: no pixels")
    assert store.inbox.requeue("1.2.3") == 1
    other = store.inbox.next_to_score("newest")
    assert other is not None
    assert other.spool == "b.dcm"
    assert store.inbox.discard("1.2.3") == store.inbox.requeue("1.2.3") == 0


def test_a_course_is_one_patients_in_order_of_acquisition(store: Store) -> None:
    scored(store)
    for uid, day in (("1.2.4", "2020-01-30"), ("1.2.5", "2020-02-01")):
        store.inbox.add(replace(IMAGE, sop_instance_uid=uid, acquired=day))
        instance = store.inbox.next_to_score("newest")
        assert instance is not None
        store.inbox.finish(instance.id, Result("digest", "{}"), [], ())
    found = [each.instance.acquired for each in store.views.course("patient")]
    assert found == ["2020-01-30", "2020-01-31", "2020-02-01"]
    assert store.views.course("") == []


def test_a_transaction_is_whole_or_nothing(store: Store) -> None:
    store.inbox.add(IMAGE)
    instance = store.inbox.next_to_score("newest")
    assert instance is not None
    with pytest.raises(StateError):
        # SQLite refuses the second object: a text is required.
        store.inbox.finish(
            instance.id, Result("d", "{}"), [ANSWER, replace(ANSWER, sop_instance_uid=None)], TO
        )  # pyright: ignore[reportArgumentType] - the fault is the point
    found = store.views.instance("1.2.3")
    assert found is not None
    assert (found.score, found.deliveries, found.instance.state) == (None, (), "scoring")


def test_a_database_of_another_program_or_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 7")
    other.close()
    with pytest.raises(StateError, match="another program's"):
        Store.open(tmp_path)
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA application_id = 1112692809")
    later.close()
    with pytest.raises(StateError, match="version 7, this software knows"):
        Store.open(tmp_path)
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(StateError, match="cannot be used"):
        Store.open(tmp_path)


def test_a_damaged_database_is_left_as_it_is_and_told(store: Store, tmp_path: Path) -> None:
    scored(store)
    store.close()
    path = tmp_path / "node.sqlite"
    path.write_bytes(b"damaged" + path.read_bytes()[7:])
    damaged = path.read_bytes()
    with pytest.raises(StateError, match="cannot be used as the node's database"):
        Store.open(tmp_path)
    assert path.read_bytes() == damaged


def test_a_backup_is_a_database(store: Store, tmp_path: Path) -> None:
    scored(store)
    folder = tmp_path / "copy"
    folder.mkdir()
    store.backup(folder / "node.sqlite")
    assert Store.open(folder).views.counts().instances == {"scored": 1}


def test_a_value_is_made_once_and_kept(store: Store) -> None:
    made = store.remembered("key")
    assert len(made) == 64
    assert store.remembered("key") == made
