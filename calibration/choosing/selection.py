"""Which radiographs to calibrate on: few that stand for all."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .description import Description

SAME_RADIOGRAPH = 12
"""Two radiographs whose average hashes differ in at most so many of 256 places are one.

Of 138 published radiographs five pairs differ in 0, 4 or 10; the two at 10 that were looked at are
one picture published twice. The next pair, two pictures of one patient, differs in 16. The same
picture compressed again, resized or brightened differs in at most 4.
"""

FEATURES = ("severity", "brightness", "contrast", "lung_area")
"""What the chosen radiographs shall be spread over as all of them are."""

BANDS = 4
"""The most bands of severity within a kind, each with as many radiographs."""


@dataclass(frozen=True)
class Duplicate:
    """A file left out, and the one that it repeats."""

    file: Path
    original: Path
    exact: bool


def drop_duplicates(
    descriptions: Iterable[Description],
) -> tuple[tuple[Description, ...], tuple[Duplicate, ...]]:
    """Keep one radiograph of each.

    Of duplicates the one with the lowest digest stays, so names and order make no difference.
    """
    kept: list[Description] = []
    dropped: list[Duplicate] = []
    for description in sorted(descriptions, key=lambda entry: (entry.sha256, str(entry.file))):
        original = _original(description, kept)
        if original is None:
            kept.append(description)
        else:
            exact = original.prepared_sha256 == description.prepared_sha256
            dropped.append(Duplicate(description.file, original.file, exact))
    return tuple(kept), tuple(dropped)


def _original(description: Description, kept: Sequence[Description]) -> Description | None:
    if not kept:
        return None
    hashes = np.stack([entry.average_hash for entry in kept])
    differing = np.count_nonzero(hashes != description.average_hash, axis=1)
    nearest = int(np.argmin(differing))
    return kept[nearest] if differing[nearest] <= SAME_RADIOGRAPH else None


def choose(descriptions: Sequence[Description], count: int, seed: int) -> tuple[Description, ...]:
    """Choose radiographs that stand for all.

    Each stratum (a kind in a band of severity) gets its share of the seats, and at least one while
    there are enough. The seats are then filled one by one: next comes the radiograph that brings
    the chosen ones closest to all in `FEATURES`, by energy distance (Szekely and Rizzo, Journal of
    Statistical Planning and Inference 143 (2013) 1249; chosen greedily as in kernel herding, Chen,
    Welling and Smola, UAI 2010). The first is drawn at random.

    Parameters
    ----------
    descriptions
        Of all that may be chosen, no two of the same content.
    count
        How many to choose; all, where there are no more.
    seed
        The same seed chooses the same ones, in whatever order they are given.

    Returns
    -------
    The chosen ones, ordered by digest.
    """
    everyone = sorted(descriptions, key=lambda entry: entry.sha256)
    if count >= len(everyone):
        return tuple(everyone)
    members = strata(everyone, count)
    seats = dict(zip(members, _share_seats([len(m) for m in members.values()], count), strict=True))
    homes = np.empty(len(everyone), np.intp)
    for number, places in enumerate(members.values()):
        homes[places] = number
    chosen = _fill(feature_matrix(everyone), homes, list(seats.values()), seed)
    return tuple(everyone[index] for index in sorted(chosen))


def strata(descriptions: Sequence[Description], count: int) -> Mapping[tuple[str, int], list[int]]:
    """Sort radiographs into strata: positions by kind and band of severity, 0 the mildest.

    A kind has no more bands than its share of `count` seats can fill, so that a rare kind does not
    crowd out a common one.
    """
    kinds: dict[str, list[int]] = {}
    for index, description in enumerate(descriptions):
        kinds.setdefault(description.kind, []).append(index)
    found: dict[tuple[str, int], list[int]] = {}
    for kind, members in sorted(kinds.items()):
        ordered = sorted(members, key=lambda index: descriptions[index].severity)
        bands = min(BANDS, max(1, len(members) * count // len(descriptions)))
        for band, part in enumerate(np.array_split(np.array(ordered, np.intp), bands)):
            found[kind, band] = [int(index) for index in part]
    return found


def feature_matrix(descriptions: Sequence[Description]) -> NDArray[np.float64]:
    """Give `FEATURES` in units of their standard deviations: float64 ``[radiographs, features]``.

    A feature that is the same everywhere becomes 0.
    """
    rows = [[float(getattr(entry, name)) for name in FEATURES] for entry in descriptions]
    matrix = np.array(rows, np.float64)
    spread = matrix.std(axis=0)
    return (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def count_strata(descriptions: Iterable[Description]) -> Mapping[str, int]:
    """How many radiographs there are of each kind, in alphabetical order."""
    return dict(sorted(Counter(entry.kind for entry in descriptions).items()))


def _share_seats(sizes: Sequence[int], count: int) -> list[int]:
    """Share `count` seats in proportion (largest remainders), one each first where they suffice."""
    base = int(count >= len(sizes))
    quotas = np.array(sizes) / sum(sizes) * count
    seats = np.maximum(np.floor(quotas).astype(int), base)
    # Seats given for presence come from those best served; what is left goes to the worst served.
    while seats.sum() > count:
        seats[np.argmax(np.where(seats > base, seats - quotas, -np.inf))] -= 1
    while seats.sum() < count:
        seats[np.argmax(np.where(seats < np.array(sizes), quotas - seats, -np.inf))] += 1
    return [int(number) for number in seats]


def _fill(
    features: NDArray[np.float64], homes: NDArray[np.intp], seats: list[int], seed: int
) -> list[int]:
    distances = np.linalg.norm(features[:, None] - features[None], axis=-1)
    to_all = distances.mean(axis=1)
    left, free = np.array(seats), np.ones(len(features), bool)
    to_chosen = np.zeros(len(features))
    chosen: list[int] = []
    while left.sum():
        eligible = np.flatnonzero(free & (left[homes] > 0))
        if chosen:
            gains = to_chosen[eligible] / (len(chosen) + 1) - to_all[eligible]
            following = int(eligible[np.argmax(gains)])
        else:
            following = int(np.random.default_rng(seed).choice(eligible))
        chosen.append(following)
        free[following] = False
        left[homes[following]] -= 1
        to_chosen += distances[following]
    return chosen
