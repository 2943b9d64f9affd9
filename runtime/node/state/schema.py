"""The database's tables, and how an earlier version of them becomes the present one."""

import sqlite3
from collections.abc import Sequence

from ...errors import StateError
from .rows import DELIVERIES, MAIN, SHADOW, STATES

APPLICATION = 0x42525849
"""SQLite's application_id of the node's database: ``BRXI``."""


def _one_of(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_FIRST = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE instances (
    id INTEGER PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    sop_class_uid TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    size INTEGER NOT NULL,
    source TEXT NOT NULL,
    received_at REAL NOT NULL,
    study_uid TEXT NOT NULL,
    patient TEXT NOT NULL,
    acquired TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ({_one_of(STATES)})),
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    repeats INTEGER NOT NULL DEFAULT 0,
    spool TEXT NOT NULL,
    deleted_at REAL,
    UNIQUE (sop_instance_uid, sha256)
) STRICT;
CREATE INDEX instances_by_state ON instances (state, received_at);
CREATE INDEX instances_by_patient ON instances (patient, acquired);
CREATE TABLE results (
    id INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ({_one_of((MAIN, SHADOW))})),
    bundle TEXT NOT NULL,
    score TEXT NOT NULL,
    created_at REAL NOT NULL,
    UNIQUE (instance_id, role, bundle)
) STRICT;
CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    sop_instance_uid TEXT NOT NULL UNIQUE,
    sop_class_uid TEXT NOT NULL,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    object_id INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    destination TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ({_one_of(DELIVERIES)})),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    last_error TEXT NOT NULL DEFAULT '',
    done_at REAL,
    transaction_uid TEXT NOT NULL DEFAULT '',
    UNIQUE (object_id, destination)
) STRICT;
CREATE INDEX outbox_due ON outbox (destination, state, next_at);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    instance_id INTEGER,
    text TEXT NOT NULL
) STRICT;
"""

_OBSERVED = """
ALTER TABLE results ADD COLUMN observed TEXT NOT NULL DEFAULT '{}';
"""

_INDEXES = """
CREATE INDEX objects_by_instance ON objects (instance_id);
CREATE INDEX instances_by_time ON instances (received_at);
CREATE INDEX instances_kept ON instances (state, received_at) WHERE deleted_at IS NULL;
CREATE INDEX instances_repeated ON instances (repeats) WHERE repeats > 0;
CREATE INDEX outbox_by_state ON outbox (state, object_id);
CREATE INDEX results_by_role ON results (role);
"""

_OF_A_BUNDLE = """
CREATE INDEX results_by_bundle ON results (role, bundle);
"""

MIGRATIONS: Sequence[str] = (_FIRST, _OBSERVED, _INDEXES, _OF_A_BUNDLE)
"""Script number n makes version n + 1 of version n; one is added, none is ever changed."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the present version, in one transaction a step.

    Raises
    ------
    StateError
        It is of a later version, or no database of the node.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if version and application != APPLICATION:
        raise StateError("the database is another program's; give the node a folder of its own")
    if version > len(MIGRATIONS):
        raise StateError(
            f"the database is of version {version}, this software knows {len(MIGRATIONS)}; "
            "install the software that wrote it, or a later one"
        )
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script} PRAGMA application_id = {APPLICATION}; "
            f"PRAGMA user_version = {number}; COMMIT;"
        )
