"""What goes into the database and comes out of it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

QUEUED = "queued"
SCORING = "scoring"
SCORED = "scored"
FAILED = "failed"
IGNORED = "ignored"
CONFLICT = "conflict"
STATES = (QUEUED, SCORING, SCORED, FAILED, IGNORED, CONFLICT)
"""Of an instance; it is in exactly one."""

WAITING = "waiting"
COMMITTING = "committing"
DONE = "done"
PARKED = "parked"
DELIVERIES = (WAITING, COMMITTING, DONE, PARKED)
"""Of an answer on its way to a destination. COMMITTING: it was sent, and is to be confirmed."""

MAIN, SHADOW = "main", "shadow"
"""Roles of a bundle: the one that answers, and one that is only watched."""


@dataclass(frozen=True)
class Received:
    """An image that is safe on disk, before the database knows it.

    Attributes
    ----------
    sop_instance_uid, sop_class_uid, study_uid
        As in the object; `study_uid` may be empty.
    sha256
        Of the file as it lies in the spool.
    transfer_syntax
        In which it was received.
    size
        Bytes.
    source
        The calling AE title, or ``http``.
    patient
        A keyed digest that tells patients apart and nobody who they are; empty without an ID.
    acquired
        When it was taken, as ISO 8601 without time zone; empty where the object does not say.
    spool
        The file's name in the spool.
    """

    sop_instance_uid: str
    sha256: str
    sop_class_uid: str
    transfer_syntax: str
    size: int
    source: str
    study_uid: str
    patient: str
    acquired: str
    spool: str


class Uptake(Enum):
    """What became of an image that was received; `FINISHED`: it was answered and deleted before."""

    ADDED = "added"
    REPEATED = "repeated"
    FINISHED = "finished"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Instance:
    """An image that the node has, or had."""

    id: int
    sop_instance_uid: str
    sha256: str
    sop_class_uid: str
    transfer_syntax: str
    size: int
    source: str
    received_at: float
    study_uid: str
    patient: str
    acquired: str
    state: str
    attempts: int
    reason: str
    repeats: int
    spool: str
    deleted_at: float | None


@dataclass(frozen=True)
class Result:
    """A score.

    Attributes
    ----------
    bundle
        The digest of the bundle that gave it.
    score
        As `brixia-edge score --format json` gives it, without the file's name.
    observed
        JSON of the quantities by which drift is watched.
    """

    bundle: str
    score: str
    observed: str = "{}"


@dataclass(frozen=True)
class AnswerObject:
    """A DICOM object that answers, safe on disk."""

    kind: str
    sop_instance_uid: str
    sop_class_uid: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Delivery:
    """An answer on its way to one destination."""

    id: int
    instance_id: int
    destination: str
    state: str
    attempts: int
    next_at: float
    last_error: str
    transaction_uid: str
    kind: str
    sop_instance_uid: str
    sop_class_uid: str
    file: str

    @property
    def transaction_uids(self) -> tuple[str, ...]:
        """The latest requests for storage commitment that name it; a late report is one, too."""
        return tuple(self.transaction_uid.split())


@dataclass(frozen=True)
class ScoredInstance:
    """An instance with its results, for people to look at."""

    instance: Instance
    score: str | None
    shadow: str | None
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True)
class Agreement:
    """How the shadow's scores agree with those that were answered, of the latest images.

    Attributes
    ----------
    images
        Scored by both; the rest is 0 without any.
    zones_equal
        Share of zones with the same score.
    mean_difference, largest_difference
        Of the global scores, without sign.
    """

    images: int = 0
    zones_equal: float = 0.0
    mean_difference: float = 0.0
    largest_difference: int = 0


@dataclass(frozen=True)
class Event:
    """Something worth knowing that happened; its text names nobody."""

    id: int
    at: float
    kind: str
    instance_id: int | None
    text: str


@dataclass(frozen=True)
class Counts:
    """How many of each state there are.

    Attributes
    ----------
    instances
        By state.
    deliveries
        By destination, then by state.
    oldest_queued, oldest_waiting
        Seconds since the Epoch of the oldest image to be scored, and answer to be sent.
    repeats
        How often an image came again, the same to the byte.
    """

    instances: dict[str, int]
    deliveries: dict[str, dict[str, int]]
    oldest_queued: float | None
    oldest_waiting: float | None
    repeats: int

    def stranded(self, destinations: Collection[str]) -> dict[str, int]:
        """How many answers are to go to each destination that is none of these (any more)."""
        open_answers = {
            name: sum(count for state, count in states.items() if state != DONE)
            for name, states in self.deliveries.items()
            if name not in destinations
        }
        return {name: count for name, count in open_answers.items() if count}
