"""A saved benchmark, and whether a new one can be compared with it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...runtime.documents import (
    TEXT,
    Schema,
    having,
    list_of,
    map_of,
    number,
    read_document,
    version,
)
from ...runtime.errors import BaselineError
from .comparison import LatencyComparison, Series, compare_with_baseline
from .measurement import Measurement
from .subject import BenchmarkSubject, Machine

SCHEMA_VERSION = 1

SAME_SUBJECT = ("precision", "weights_sha256", "backend", "threads", "batch", "image_sha256")
SAME_MACHINE = ("processor", "cores", "architecture", "gpu")
"""What must be equal for two benchmarks to be compared; the rest is told as a remark."""

_ANY: Schema = {}
_SERIES = list_of(number(0), most=10_000_000, least=1)

SCHEMA = having(
    {
        "schema_version": version(SCHEMA_VERSION),
        "made": TEXT,
        "subject": having(dict.fromkeys((*SAME_SUBJECT, "model_sha256"), _ANY)),
        "machine": having({**dict.fromkeys(SAME_MACHINE, _ANY), "versions": map_of(TEXT, 100)}),
        "machine_speed": having({"work": TEXT}),
        "series_ms": having({"end_to_end": _SERIES, "reference": _SERIES}),
    }
)
"""Of what a comparison needs; docs/benchmark.md has that of the whole file."""


@dataclass(frozen=True)
class Baseline:
    """What a saved benchmark holds that a comparison needs.

    Attributes
    ----------
    name
        The file, and when it was made.
    subject, machine
        What ran and where, as the JSON has it.
    work
        The reference work.
    series
        The times.
    """

    name: str
    subject: Mapping[str, Any]
    machine: Mapping[str, Any]
    work: str
    series: Series

    def check(self, subject: BenchmarkSubject, machine: Machine) -> None:
        """Refuse a comparison that would mean nothing.

        Raises
        ------
        BaselineError
            Something of `SAME_SUBJECT` or `SAME_MACHINE` differs; the message names all of it.
        """
        differences = [
            *_differences(self.subject, asdict(subject), SAME_SUBJECT),
            *_differences(self.machine, asdict(machine), SAME_MACHINE),
        ]
        if differences:
            raise BaselineError(
                f"{self.name} cannot be compared with this run: {'; '.join(differences)}. "
                "Give a baseline of the same, or save a new one: --save FILE"
            )


def load_baseline(path: Path) -> Baseline:
    """Read a file that ``--save`` wrote.

    Raises
    ------
    BaselineError
        It cannot be read, or is no saved benchmark of this version.
    """
    advice = "give a file that --save wrote, or save a new one"
    return _from_entries(path, read_document(path, SCHEMA, BaselineError, advice))


def compare(
    measurement: Measurement,
    work: str | None,
    subject: BenchmarkSubject,
    machine: Machine,
    with_: Baseline,
) -> LatencyComparison:
    """Compare a run with a baseline that was checked.

    Parameters
    ----------
    measurement
        The new times.
    work
        The reference work; None where the machine's speed says nothing of them (on a GPU).
    subject, machine
        Of the new times.
    with_
        The baseline.
    """
    same_work = work == with_.work
    now = Series(measurement.end_to_end, measurement.reference if same_work else None)
    remarks = list(_version_changes(with_.machine["versions"], machine.versions))
    if with_.subject["model_sha256"] != subject.model_sha256:
        remarks.append("the bundle's network file is another")
    if work is not None and not same_work:
        remarks.append("the machine's speed was measured with other work and is left out")
    return compare_with_baseline(now, with_.series, with_.name, tuple(remarks))


def _from_entries(path: Path, entries: dict[str, Any]) -> Baseline:
    series = entries["series_ms"]
    end_to_end = np.array(series["end_to_end"], np.float64)
    reference = np.array(series["reference"], np.float64)
    if end_to_end.size != reference.size:
        raise BaselineError(
            f"{path} has series of different lengths; give a file that --save wrote"
        )
    return Baseline(
        f"{path.name} of {entries['made']}",
        entries["subject"],
        entries["machine"],
        entries["machine_speed"]["work"],
        Series(end_to_end, reference),
    )


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], names: tuple[str, ...]
) -> list[str]:
    return [
        f"{name} was {before[name]!r} and is {now[name]!r}"
        for name in names
        if before[name] != now[name]
    ]


def _version_changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name} was {before.get(name, 'absent')} and is {now.get(name, 'absent')}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
