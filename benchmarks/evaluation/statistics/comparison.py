"""A rater beside a reference in every respect, and two bundles beside each other."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..results import EXPECTED, SCORE, Group, PairedDifference, RaterComparison, ScoreChange
from .agreement import agreement, draw_agreement
from .confusion import confusion_matrices
from .raters import Pair, Rater
from .reliability import draw_reliability, reliability
from .resampling import Draws, Resamples, figure
from .triage import THRESHOLDS, draw_triage, triage


@dataclass(frozen=True)
class Cohort:
    """What is known of the evaluated images, apart from scores.

    Attributes
    ----------
    patients
        For each image what tells patients apart, or None.
    attributes
        For each image what it can be grouped by.
    resamples
        Of these images.
    """

    patients: Sequence[Hashable | None]
    attributes: Sequence[Mapping[str, str]]
    resamples: Resamples

    def groups(self) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
        """Attribute, value, and which images have it: bool ``[images]``."""
        pairs = {pair for entry in self.attributes for pair in entry.items()}
        for attribute, value in sorted(pairs):
            chosen = [entry.get(attribute) == value for entry in self.attributes]
            yield attribute, value, np.array(chosen)


@dataclass(frozen=True)
class Drawn:
    """A pair of raters and all its draws, of which comparisons and differences are made."""

    pair: Pair
    agreement: Draws
    triage: Mapping[int, Draws]
    reliability: Draws

    @classmethod
    def of(cls, pair: Pair, resamples: Resamples) -> "Drawn":
        """Draw everything."""
        return cls(
            pair,
            draw_agreement(pair, resamples),
            {threshold: draw_triage(pair, threshold, resamples) for threshold in THRESHOLDS},
            {} if pair.rater.probabilities is None else draw_reliability(pair, resamples),
        )


def compare(drawn: Drawn, cohort: Cohort) -> RaterComparison:
    """Put draws into words, and add the groups."""
    pair = drawn.pair
    return RaterComparison(
        rater=pair.rater.name,
        kind=pair.rater.kind,
        reference=pair.reference.name,
        agreement=agreement(drawn.agreement, pair, cohort.patients),
        groups=tuple(_groups(pair, cohort)),
        confusion=dict(confusion_matrices(pair)),
        triage=tuple(triage(pair, each, draws) for each, draws in drawn.triage.items()),
        reliability=reliability(pair, drawn.reliability) if drawn.reliability else None,
    )


def _groups(pair: Pair, cohort: Cohort) -> Iterator[Group]:
    for attribute, value, chosen in cohort.groups():
        part = pair.within(chosen)
        if len(part.images):
            draws = draw_agreement(part, cohort.resamples)
            yield Group(attribute, value, agreement(draws, part, cohort.patients))


def subtract(bundle: Drawn, baseline: Drawn, cohort: Cohort) -> PairedDifference:
    """The bundle's figures minus the baseline's, resample by resample."""
    rater = bundle.pair.rater
    return PairedDifference(
        bundle=rater.name,
        baseline=baseline.pair.rater.name,
        kind=rater.kind,
        reference=bundle.pair.reference.name,
        agreement=agreement(
            _difference(bundle.agreement, baseline.agreement), bundle.pair, cohort.patients
        ),
        area={
            str(threshold): figure(draws["area",] - baseline.triage[threshold]["area",])
            for threshold, draws in bundle.triage.items()
        },
        reliability={
            key[0]: figure(draws)
            for key, draws in _difference(bundle.reliability, baseline.reliability).items()
        },
    )


def _difference(first: Draws, second: Draws) -> Draws:
    return {key: values - second[key] for key, values in first.items()}


def score_change(
    bundle: Rater, baseline: Rater, expected: Pair, resamples: Resamples
) -> ScoreChange:
    """How far scores lie apart, whatever the radiologists say.

    Parameters
    ----------
    bundle, baseline
        Read as scores.
    expected
        The same two read as expected scores.
    """
    scores, others = bundle.whole_scores, baseline.whole_scores
    moved = np.abs(expected.rater.global_values - expected.reference.global_values)
    measured = {
        ("zone",): (scores == others).mean(axis=1),
        ("global",): (scores.sum(axis=1) == others.sum(axis=1)).astype(np.float64),
        ("moved",): moved,
    }
    draws = resamples.draw(
        lambda weights: {
            key: weights @ values / weights.sum(axis=1) for key, values in measured.items()
        },
        np.arange(len(scores)),
    )
    return ScoreChange(
        bundle=bundle.name,
        baseline=baseline.name,
        same_zone_score=figure(draws["zone",]),
        same_global_score=figure(draws["global",]),
        mean_expected_global=figure(draws["moved",]),
        largest_expected_global=float(moved.max()),
    )


class SideBySide:
    """Every bundle's two ways of reading, beside every reader.

    Draws are kept, because differences are made of them.
    """

    def __init__(self, raters: Sequence[Rater], readers: Sequence[Rater], cohort: Cohort) -> None:
        self._raters = {(rater.name, rater.kind): rater for rater in raters}
        self._labels = list(dict.fromkeys(rater.name for rater in raters))
        self._readers = readers
        self._cohort = cohort
        pairs = [Pair.of(rater, reader) for rater in raters for reader in readers]
        self._drawn = [Drawn.of(pair, cohort.resamples) for pair in pairs]

    def pair(self, label: str, kind: str) -> Pair:
        """A bundle beside the first reader."""
        return Pair.of(self._raters[label, kind], self._readers[0])

    def comparisons(self) -> Iterator[RaterComparison]:
        """Bundles with readers, then readers with readers, where they have images in common."""
        yield from (compare(drawn, self._cohort) for drawn in self._drawn)
        for reference, reader in combinations(self._readers, 2):
            pair = Pair.of(reader, reference)
            if len(pair.images):
                yield compare(Drawn.of(pair, self._cohort.resamples), self._cohort)

    def differences(self) -> Iterator[PairedDifference]:
        """Every bundle's figures minus the first one's."""
        named = {_names(drawn.pair): drawn for drawn in self._drawn}
        for (label, kind, reader), drawn in named.items():
            if label != self._labels[0]:
                yield subtract(drawn, named[self._labels[0], kind, reader], self._cohort)

    def changes(self) -> Iterator[ScoreChange]:
        """Every bundle's scores beside the first one's."""
        first = self._labels[0]
        for label in self._labels[1:]:
            yield score_change(
                self._raters[label, SCORE],
                self._raters[first, SCORE],
                Pair.of(self._raters[label, EXPECTED], self._raters[first, EXPECTED]),
                self._cohort.resamples,
            )


def _names(pair: Pair) -> tuple[str, str, str]:
    return pair.rater.name, pair.rater.kind, pair.reference.name
