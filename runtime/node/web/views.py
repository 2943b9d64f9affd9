"""What the page and the interface for programs tell of an image, in plain values."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ...quality.drift import DIFFERENT, DriftReport
from ...results import EXACT, ModelIdentity
from ..state.rows import Counts, Delivery, Event, ScoredInstance

ZONES = ("A", "B", "C", "D", "E", "F")


def instance_object(found: ScoredInstance) -> dict[str, Any]:
    """An image as the interface gives it; `score` is what `score --format json` prints."""
    instance = found.instance
    return {
        "sop_instance_uid": instance.sop_instance_uid,
        "state": instance.state,
        "reason": instance.reason,
        "received": moment(instance.received_at),
        "acquired": instance.acquired,
        "source": instance.source,
        "patient": instance.patient,
        "repeats": instance.repeats,
        "score": None if found.score is None else json.loads(found.score),
        "shadow": None if found.shadow is None else json.loads(found.shadow),
        "answers": [_delivery(each) for each in found.deliveries],
    }


def model_shown(score: str | None) -> str:
    """Which model gave a score, as it is kept, in words; empty without one."""
    told: Mapping[str, str] | None = json.loads(score or "{}").get("model")
    if told is None:
        return ""
    # Scores of before there were light networks are kept without a variant.
    variant = told.get("variant", EXACT)
    model = ModelIdentity(told["name"], told["precision"], told["sha256"], variant)
    return f"{model.name}, {model.kind}"


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "kind": delivery.kind,
        "destination": delivery.destination,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "sop_instance_uid": delivery.sop_instance_uid,
    }


def state_object(counts: Counts) -> dict[str, Any]:
    """How much there is of everything."""
    return {
        "images": counts.instances,
        "answers": counts.deliveries,
        "repeated": counts.repeats,
    }


def event_object(event: Event) -> dict[str, Any]:
    """An event."""
    return {"id": event.id, "at": moment(event.at), "kind": event.kind, "text": event.text}


def moment(seconds: float) -> str:
    """A time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


def alarms(
    counts: Counts, ready: Mapping[str, str], destinations: Collection[str]
) -> Iterable[str]:
    """What a person should look at, one sentence each."""
    for name, reason in ready.items():
        if reason:
            yield f"{name} is not well: {reason}"
    if failed := counts.instances.get("failed"):
        yield f"{_several(failed, 'image')} could not be scored"
    if conflicts := counts.instances.get("conflict"):
        has = "has" if conflicts == 1 else "have"
        yield f"{_several(conflicts, 'image')} {has} another image's SOP Instance UID"
    for name, states in counts.deliveries.items():
        if parked := states.get("parked"):
            yield f"{_several(parked, 'answer')} {_is(parked)} refused by {name}"
    for name, count in counts.stranded(destinations).items():
        yield stranded_sentence(name, count)


def drift_alarms(report: DriftReport | None) -> Iterable[str]:
    """That the images changed, where chance does not explain it."""
    if report is not None and report.verdict == DIFFERENT:
        yield (
            f"the latest {report.images} images look different from those that the model was "
            "calibrated on; see the drift below"
        )


def stranded_sentence(name: str, count: int) -> str:
    """What to do about answers to a destination that is none any more."""
    answers = f"{_several(count, 'answer')} {_is(count)}"
    return (
        f"{answers} to go to {name}, which is no [[destination]] any more: name it again, or give "
        f"{'it' if count == 1 else 'them'} up by `brixia-edge node drop {name}`"
    )


def _several(count: int, what: str) -> str:
    """A number of things: ``1 image``, ``2 images``."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
