"""What there is, for people and programs that look."""

import json
from typing import Any

from ...reports.dicom.result import report_series_uid
from ...reports.prior import PriorReport
from ...scores import Zone
from .database import Database, equal, note
from .inbox import INSTANCE
from .outbox import DELIVERIES
from .rows import (
    MAIN,
    QUEUED,
    SCORED,
    SCORING,
    SHADOW,
    WAITING,
    Agreement,
    Counts,
    Delivery,
    Event,
    Instance,
    ScoredInstance,
)


class Views:
    """Answers questions and changes nothing, but for events that are noted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counted: tuple[tuple[int, int], Counts] | None = None

    def instance(self, sop_instance_uid: str) -> ScoredInstance | None:
        """The image of a UID, the first received where there is a conflict."""
        found = self._scored(
            "WHERE instances.sop_instance_uid = ? ORDER BY instances.id LIMIT 1",
            (sop_instance_uid,),
        )
        return found[0] if found else None

    def latest(
        self, limit: int = 50, state: str | None = None, patient: str | None = None
    ) -> list[ScoredInstance]:
        """The images received last, all or those of a state or a patient."""
        condition, values = equal({"instances.state": state, "instances.patient": patient})
        return self._scored(
            f"WHERE {condition} ORDER BY instances.received_at DESC, instances.id DESC LIMIT ?",
            (*values, limit),
        )

    def course(self, patient: str) -> list[ScoredInstance]:
        """A patient's scored images in the order of their acquisition."""
        if not patient:
            return []
        return self._scored(
            "WHERE instances.patient = ? AND instances.state = ? "
            "ORDER BY instances.acquired, instances.received_at",
            (patient, SCORED),
        )

    def prior(self, instance: Instance) -> PriorReport | None:
        """The report of the same patient's radiograph that was taken last before this one."""
        if not instance.patient or not instance.acquired:
            return None
        rows = self._database.rows(
            "SELECT earlier.study_uid, earlier.sop_instance_uid, objects.sop_instance_uid, "
            "results.bundle, json_extract(results.score, '$.global'), earlier.acquired "
            "FROM instances AS earlier JOIN objects ON objects.instance_id = earlier.id "
            "JOIN results ON results.instance_id = earlier.id "
            "WHERE earlier.patient = ? AND earlier.acquired != '' AND earlier.acquired < ? "
            "AND earlier.state = ? AND earlier.study_uid != '' AND objects.kind = 'sr' "
            "AND results.role = ? ORDER BY earlier.acquired DESC, earlier.id DESC LIMIT 1",
            (instance.patient, instance.acquired, SCORED, MAIN),
        )
        if not rows:
            return None
        study, image, report, bundle, score, acquired = rows[0]
        series = report_series_uid(bundle, image)
        return PriorReport(study, series, report, bundle, int(score), acquired)

    def agreement(self, limit: int = 1000) -> Agreement:
        """How the shadow that scored last agrees with the answers, over its latest images."""
        latest = "SELECT bundle FROM results WHERE role = ? ORDER BY id DESC LIMIT 1"
        bundles = self._database.rows(latest, (SHADOW,))
        if not bundles:
            return Agreement()
        equal = " + ".join(
            f"(json_extract(main.score, '$.zones.{zone.value}')"
            f" = json_extract(shadow.score, '$.zones.{zone.value}'))"
            for zone in Zone
        )
        difference = (
            "abs(json_extract(main.score, '$.global') - json_extract(shadow.score, '$.global'))"
        )
        (row,) = self._database.rows(
            f"SELECT count(*), coalesce(avg({equal}) / {len(Zone)}, 0.0), "  # noqa: S608 - constants
            f"coalesce(avg({difference}), 0.0), coalesce(max({difference}), 0) "
            "FROM results AS shadow JOIN results AS main USING (instance_id) "
            "WHERE shadow.role = ? AND shadow.bundle = ? AND main.role = ? AND shadow.id > "
            "coalesce((SELECT id FROM results WHERE role = ? AND bundle = ? "
            "ORDER BY id DESC LIMIT 1 OFFSET ?), 0)",
            (SHADOW, *bundles[0], MAIN, SHADOW, *bundles[0], limit),
        )
        return Agreement(*row)

    def observations(self, bundle: str, limit: int = 200) -> list[dict[str, float]]:
        """By what drift is watched, of the images that a bundle scored last."""
        rows = self._database.rows(
            "SELECT observed FROM results WHERE role = ? AND bundle = ? AND observed != '{}' "
            "ORDER BY id DESC LIMIT ?",
            (MAIN, bundle, limit),
        )
        return [json.loads(row[0]) for row in rows]

    def events(self, after: int = 0, limit: int = 100) -> list[Event]:
        """What happened after an event, in order."""
        rows = self._database.rows(
            "SELECT id, at, kind, instance_id, text FROM events WHERE id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [Event(*row) for row in rows]

    def latest_event(self) -> Event | None:
        """What happened last."""
        rows = self._database.rows(
            "SELECT id, at, kind, instance_id, text FROM events ORDER BY id DESC LIMIT 1"
        )
        return Event(*rows[0]) if rows else None

    def note(self, kind: str, text: str, instance_id: int | None = None) -> None:
        """Keep an event; its text must name nobody."""
        with self._database.transaction() as connection:
            note(connection, kind, text, instance_id)

    def forget_events(self, kept: int = 10_000) -> None:
        """Delete all events but the latest."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (kept,)
            )

    def counts(self) -> Counts:
        """How much there is of everything; counted anew when anything was written since."""
        version = self._database.version()
        if self._counted is None or self._counted[0] != version:
            self._counted = version, self._count()
        return self._counted[1]

    def _count(self) -> Counts:
        with self._database.transaction() as connection:
            one = connection.execute
            instances = dict(one("SELECT state, count(*) FROM instances GROUP BY state").fetchall())
            deliveries: dict[str, dict[str, int]] = {}
            for name, state, count in one(
                "SELECT destination, state, count(*) FROM outbox GROUP BY destination, state"
            ):
                deliveries.setdefault(name, {})[state] = count
            queued = "SELECT min(received_at) FROM instances WHERE state IN (?, ?)"
            waiting = (
                "SELECT min(results.created_at) FROM outbox "
                "JOIN objects ON objects.id = outbox.object_id "
                "JOIN results ON results.instance_id = objects.instance_id WHERE outbox.state = ?"
            )
            again = "SELECT coalesce(sum(repeats), 0) FROM instances WHERE repeats > 0"
            (repeats,) = one(again).fetchone()
            return Counts(
                instances,
                deliveries,
                one(queued, (QUEUED, SCORING)).fetchone()[0],
                one(waiting, (WAITING,)).fetchone()[0],
                repeats,
            )

    def _scored(self, condition: str, values: tuple[Any, ...]) -> list[ScoredInstance]:
        with self._database.transaction():
            rows = self._database.rows(
                f"SELECT {INSTANCE} FROM instances {condition}",  # noqa: S608 - constants
                values,
            )
            return [self._with_results(Instance(*row)) for row in rows]

    def _with_results(self, instance: Instance) -> ScoredInstance:
        found: dict[str, str] = {}
        for role, score in self._database.rows(
            "SELECT role, score FROM results WHERE instance_id = ? ORDER BY created_at",
            (instance.id,),
        ):
            found[role] = score
        deliveries = self._database.rows(
            f"{DELIVERIES} WHERE objects.instance_id = ? ORDER BY outbox.id", (instance.id,)
        )
        return ScoredInstance(
            instance,
            found.get(MAIN),
            found.get(SHADOW),
            tuple(Delivery(*row) for row in deliveries),
        )
