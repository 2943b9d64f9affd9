"""The score that a patient had before, and where it is told: for a report to refer to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PriorReport:
    """An earlier structured report of the same patient.

    Attributes
    ----------
    study_uid, series_uid, sop_instance_uid
        Of the report.
    bundle
        The digest of the bundle whose score it tells.
    global_score
        The score, 0 to 18.
    acquired
        When its radiograph was taken: ISO 8601 without time zone, perhaps the day alone.
    """

    study_uid: str
    series_uid: str
    sop_instance_uid: str
    bundle: str
    global_score: int
    acquired: str
