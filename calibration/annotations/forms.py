"""The forms that annotations come in; `annotations` describes them for people."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...runtime.scores import SCORES, Zone
from .cells import Cells

PUBLIC = "public"
METADATA = "metadata"
CONSENSUS = "consensus"
GENERIC = "generic"

AGE_GROUPS = ((0, "0-17"), (18, "18-49"), (50, "50-64"), (65, "65-79"), (80, "80+"))
"""The least age in years of each group, and its name."""

_ZONES = tuple(zone.value for zone in Zone)
_TRUTH = {"1": "yes", "1.0": "yes", "TRUE": "yes", "0": "no", "0.0": "no", "FALSE": "no"}
_DIGITS = re.compile(r"([0-9]{1,6})(?:[.,]0*)?")
"""Zones as digits, which a program that took them for a number writes as ``102030.0``."""

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)?|[+-]?[.,]\d+")
_LONGEST_TOLD = 200  # characters
_SUM_TOLERANCE = 0.05  # a mean over five readers, rounded, six times


class RowError(Exception):
    """A row, or a reader's part of one, cannot be used; the message is a half-sentence."""


@dataclass(frozen=True)
class RadiologistScores:
    """One reader's scores of one radiograph, zones A to F.

    Attributes
    ----------
    scores
        int64 ``[6]``, 0 to 3; of a consensus the modes.
    values
        float64 ``[6]``; of a consensus the means, else the same as `scores`.
    """

    scores: NDArray[np.int64]
    values: NDArray[np.float64]


class Form(ABC):
    """One form: how its columns are known, and how a row is read."""

    name: str
    columns: str
    """The columns it needs, for people."""

    @abstractmethod
    def fits(self, columns: Sequence[str]) -> bool:
        """Whether a file with these columns has this form."""

    def named_readers(self, columns: Sequence[str]) -> Mapping[str, str]:
        """The reader that a column is of, by column; empty where rows name their readers."""
        return {}

    @abstractmethod
    def readers(self, named: Mapping[str, str], row: Cells) -> Iterable[str]:
        """Names of the readers that a row is of; `named` as `named_readers` gives them."""

    @abstractmethod
    def reading(self, row: Cells, reader: str) -> RadiologistScores:
        """A reader's scores.

        Raises
        ------
        RowError
            They cannot be used.
        """

    @abstractmethod
    def doubts(self, row: Cells, reader: str, reading: RadiologistScores) -> Iterator[str]:
        """What is doubtful about a usable reading; half-sentences."""

    def patient(self, row: Cells) -> str | None:
        """What tells one patient from another, or None."""
        return None

    def attributes(self, row: Cells) -> dict[str, str]:
        """Properties that images can be grouped by; those that are given."""
        return {}


class _Public(Form):
    name = PUBLIC
    columns = "filename and, for each reader X, X-A to X-F"

    def fits(self, columns: Sequence[str]) -> bool:
        return "filename" in columns and bool(self.named_readers(columns))

    def named_readers(self, columns: Sequence[str]) -> Mapping[str, str]:
        """Those who have a column for every zone."""
        there = frozenset(columns)
        prefixes = [name.removesuffix("-A") for name in columns if name.endswith("-A")]
        named: dict[str, str] = {}
        for reader in prefixes:
            zones = [f"{reader}-{zone}" for zone in _ZONES]
            named.update(dict.fromkeys(zones, reader) if there.issuperset(zones) else {})
        return named

    def readers(self, named: Mapping[str, str], row: Cells) -> Iterable[str]:
        """Those who scored any zone: a reader need not have seen every image."""
        return dict.fromkeys(named[column] for column in row if column in named)

    def reading(self, row: Cells, reader: str) -> RadiologistScores:
        return _whole([row[f"{reader}-{zone}"] for zone in _ZONES], f"reader {reader}")

    def doubts(self, row: Cells, reader: str, reading: RadiologistScores) -> Iterator[str]:
        column = f"{reader}-Global"
        yield from _sum_doubt(column, row[column], reading.values)


class _Metadata(Form):
    name = METADATA
    columns = "filename, BrixiaScore"

    def fits(self, columns: Sequence[str]) -> bool:
        return {"filename", "BrixiaScore"} <= set(columns)

    def readers(self, named: Mapping[str, str], row: Cells) -> Iterable[str]:
        return ("radiologist",) if row["BrixiaScore"] else ()

    def reading(self, row: Cells, reader: str) -> RadiologistScores:
        digits = _DIGITS.fullmatch(row["BrixiaScore"])
        if digits is None:
            raise RowError(
                f"BrixiaScore is {shortened(row['BrixiaScore'])!r}; six digits are allowed"
            )
        return _whole(list(digits[1].zfill(len(_ZONES))), "BrixiaScore")

    def doubts(self, row: Cells, reader: str, reading: RadiologistScores) -> Iterator[str]:
        column = "BrixiaScoreGlobal"
        yield from _sum_doubt(column, row[column], reading.values)
        yield from _age_doubt(row["AgeAtStudyDateFiveYear"])

    def patient(self, row: Cells) -> str | None:
        return row["Subject"] or None

    def attributes(self, row: Cells) -> dict[str, str]:
        return _given(
            {
                "modality": row["Modality"].upper(),
                "sex": row["Sex"].upper(),
                "age group": age_group(row["AgeAtStudyDateFiveYear"]),
                "consensus test set": _TRUTH.get(row["ConsensusTestset"].upper(), ""),
            }
        )


class _Consensus(Form):
    name = CONSENSUS
    columns = "filename, MeanA to MeanF, ModeA to ModeF"

    def fits(self, columns: Sequence[str]) -> bool:
        wanted = (f"{kind}{zone}" for kind in ("Mean", "Mode") for zone in _ZONES)
        return {"filename", *wanted} <= set(columns)

    def readers(self, named: Mapping[str, str], row: Cells) -> Iterable[str]:
        return ("consensus",) if any(row[f"Mode{zone}"] for zone in _ZONES) else ()

    def reading(self, row: Cells, reader: str) -> RadiologistScores:
        modes = _whole([row[f"Mode{zone}"] for zone in _ZONES], "the modes")
        texts = [row[f"Mean{zone}"] for zone in _ZONES]
        means = [_number(text) for text in texts]
        if any(mean is None or not SCORES[0] <= mean <= SCORES[-1] for mean in means):
            raise RowError(f"the means are {_listed(texts)}; numbers from 0 to 3 are allowed")
        return RadiologistScores(modes.scores, np.array(means, np.float64))

    def doubts(self, row: Cells, reader: str, reading: RadiologistScores) -> Iterator[str]:
        # The release calls the sum of the means S-Global and that of the modes J-Global.
        yield from _sum_doubt("S-Global", row["S-Global"], reading.values)
        yield from _sum_doubt("J-Global", row["J-Global"], reading.scores)


class _Generic(Form):
    name = GENERIC
    columns = "filename, A to F"

    def fits(self, columns: Sequence[str]) -> bool:
        return {"filename", *_ZONES} <= set(columns)

    def readers(self, named: Mapping[str, str], row: Cells) -> Iterable[str]:
        return (row["reader"] or "reader",) if any(row[zone] for zone in _ZONES) else ()

    def reading(self, row: Cells, reader: str) -> RadiologistScores:
        return _whole([row[zone] for zone in _ZONES], f"reader {reader}")

    def doubts(self, row: Cells, reader: str, reading: RadiologistScores) -> Iterator[str]:
        yield from _sum_doubt("global", row["global"], reading.values)
        yield from _age_doubt(row["age"])

    def patient(self, row: Cells) -> str | None:
        return row["patient"] or None

    def attributes(self, row: Cells) -> dict[str, str]:
        plain = {name: row[name].upper() for name in ("modality", "projection", "sex")}
        return _given(
            {
                **plain,
                "age group": age_group(row["age"]),
                "consensus test set": _TRUTH.get(row["consensus"].upper(), ""),
            }
        )


FORMS: tuple[Form, ...] = (_Metadata(), _Consensus(), _Public(), _Generic())
"""In the order in which they are tried."""


def age_group(years: str) -> str:
    """The name of the group that an age belongs to; empty when it is no age."""
    age = _number(years)
    names = [name for least, name in AGE_GROUPS if age is not None and age >= least]
    return names[-1] if names else ""


def _given(attributes: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if value}


def _whole(texts: Sequence[str], what: str) -> RadiologistScores:
    """Scores that are whole numbers; spreadsheets write some as ``2.0``."""
    numbers = [_number(text) for text in texts]
    if any(number not in SCORES for number in numbers):
        raise RowError(
            f"{shortened(what)} has the zones {_listed(texts)}; 0, 1, 2 and 3 are allowed"
        )
    values = np.array(numbers, np.float64)
    return RadiologistScores(values.astype(np.int64), values)


def shortened(text: str) -> str:
    """A text as messages have it: somebody may have put a whole file into a cell."""
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}..."


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(shortened(text) or "none" for text in texts)


def _number(text: str) -> float | None:
    """Read a number with a point or a comma; spreadsheets of half the world write commas."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text.replace(",", "."))
    return number if math.isfinite(number) else None


def _sum_doubt(column: str, text: str, zones: NDArray[np.generic]) -> Iterator[str]:
    """Compare a global score that is given with the zones' sum; the zones are what is used."""
    total = float(zones.sum())
    given = _number(text)
    if text and (given is None or abs(given - total) > _SUM_TOLERANCE * len(_ZONES)):
        yield f"{column} is {shortened(text)}, but its zones sum to {total:g}; the zones are used"


def _age_doubt(text: str) -> Iterator[str]:
    if text and not age_group(text):
        yield f"age {shortened(text)!r} is no number of years; the row belongs to no age group"
