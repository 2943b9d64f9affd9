"""No question goes through all rows of a table: a node has hundreds of thousands of images."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from time import time

import pytest
from brixia_edge.runtime.node.state.database import Database
from brixia_edge.runtime.node.state.rows import Received, Result
from brixia_edge.runtime.node.state.schema import MIGRATIONS, migrate
from brixia_edge.runtime.node.state.store import Store

QUESTIONS: Sequence[Callable[[Store], object]] = (
    lambda store: store.views.latest(50),
    lambda store: store.views.latest(50, "scored"),
    lambda store: store.views.latest(50, None, "patient"),
    lambda store: store.views.latest(50, "scored", "patient"),
    lambda store: store.views.course("patient"),
    lambda store: store.views.instance("1.2.3"),
    lambda store: store.views.counts(),
    lambda store: store.views.agreement(),
    lambda store: store.views.observations("digest"),
    lambda store: store.inbox.next_to_score("newest"),
    lambda store: store.inbox.next_for_shadow("digest", ()),
    lambda store: store.inbox.expired(time()),
    lambda store: store.inbox.objects_of(1),
    lambda store: store.inbox.requeue(),
    lambda store: store.inbox.requeue("1.2.3"),
    lambda store: store.inbox.recover(),
    lambda store: store.outbox.due("pacs", time()),
    lambda store: store.outbox.unconfirmed("pacs"),
    lambda store: store.outbox.retry_parked(),
    lambda store: store.outbox.retry_parked("pacs"),
)
OF_FILES: Sequence[Callable[[Store], object]] = (
    lambda store: store.inbox.expired(time()),
    lambda store: store.inbox.next_for_shadow("digest", ()),
)


class Watched:
    """A store, and the statements that its database is given."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        migrate(self._connection)
        self.store = Store(Database(self._connection, path))

    def plans(self, ask: Callable[[Store], object]) -> list[str]:
        """How SQLite would answer what a question comes to; at least one step."""
        asked: list[str] = []
        self._connection.set_trace_callback(asked.append)
        ask(self.store)
        self._connection.set_trace_callback(None)
        told = [text for text in asked if text.startswith(("SELECT", "UPDATE"))]
        rows = (self._connection.execute(f"EXPLAIN QUERY PLAN {text}") for text in told)
        found = [str(row[3]) for plan in rows for row in plan]
        assert found
        return found


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "node.sqlite")


@pytest.mark.parametrize("ask", QUESTIONS)
def test_an_index_answers(watched: Watched, ask: Callable[[Store], object]) -> None:
    plans = watched.plans(ask)
    assert not [step for step in plans if step.startswith("SCAN") and "INDEX" not in step], plans


def test_the_latest_are_not_sorted(watched: Watched) -> None:
    plans = watched.plans(lambda store: store.views.latest())
    assert not [step for step in plans if "B-TREE FOR ORDER BY" in step]


def test_a_shadow_before_this_one_is_passed_over(watched: Watched) -> None:
    store = watched.store
    store.inbox.add(Received("1.2", "ab", "1.2", "1.2", 5, "XR1", "", "", "", "a.dcm"))
    store.inbox.add_shadow(1, Result("new", "{}"))
    plans = watched.plans(lambda store: store.views.agreement())
    assert not [step for step in plans if step.startswith("SCAN") and "INDEX" not in step], plans
    assert [step for step in plans if "results_by_bundle (role=? AND bundle=? AND rowid>?)" in step]
    assert not [step for step in plans if "B-TREE" in step]


@pytest.mark.parametrize("ask", OF_FILES)
def test_images_deleted_long_ago_are_passed_over(
    watched: Watched, ask: Callable[[Store], object]
) -> None:
    assert [step for step in watched.plans(ask) if "instances_kept" in step]


def test_counts_are_taken_again_only_when_something_was_written(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "node.sqlite")
    assert watched.store.views.counts().instances == {}
    again = watched.store.views.counts()
    assert watched.store.views.counts() is again
    watched.store.views.note("kind", "text")
    assert watched.store.views.counts() is not again
    again = watched.store.views.counts()
    other = Watched(tmp_path / "node.sqlite")
    other.store.views.note("kind", "text")
    assert watched.store.views.counts() is not again


def test_a_database_of_the_first_version_gets_its_indexes(tmp_path: Path) -> None:
    first = Path(tmp_path / "node.sqlite")
    with sqlite3.connect(first) as connection:
        connection.executescript(
            f"{MIGRATIONS[0]} PRAGMA application_id = 1112692809; PRAGMA user_version = 1;"
        )
    connection.close()
    plans = Watched(first).plans(lambda store: store.inbox.objects_of(1))
    assert "objects_by_instance" in plans[0]
