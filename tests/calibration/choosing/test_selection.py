"""Which radiographs are chosen: each kind, evenly, the same for a seed, and no copies."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from brixia_edge.calibration.choosing.coverage import energy_distance, measure_coverage
from brixia_edge.calibration.choosing.description import Description
from brixia_edge.calibration.choosing.selection import (
    SAME_RADIOGRAPH,
    choose,
    count_strata,
    drop_duplicates,
    strata,
)
from numpy.typing import NDArray

Many = Callable[[int], list[Description]]


def digests(chosen: tuple[Description, ...]) -> list[str]:
    return [description.sha256 for description in chosen]


def test_a_seed_chooses_the_same_in_any_order(describe_many: Many) -> None:
    everyone = describe_many(60)
    chosen = choose(everyone, 20, seed=3)
    assert len(set(digests(chosen))) == 20
    assert digests(chosen) == digests(choose(everyone[::-1], 20, seed=3))
    moved = [replace(entry, file=entry.file.with_name("other.png")) for entry in everyone]
    assert digests(chosen) == digests(choose(moved, 20, seed=3))
    assert any(digests(choose(everyone, 20, seed=seed)) != digests(chosen) for seed in range(5))


@pytest.mark.parametrize("count", [5, 6, 100])
def test_all_are_taken_where_there_are_no_more(describe_many: Many, count: int) -> None:
    assert len(choose(describe_many(5), count, seed=0)) == 5


@pytest.mark.parametrize("count", [1, 7, 16, 40, 79])
def test_kinds_and_severities_keep_their_shares(describe_many: Many, count: int) -> None:
    everyone = describe_many(80)
    kinds = [("CR", "bedside")] * 50 + [("DX", "PA")] * 28 + [("JPEG", "unknown")] * 2
    everyone = [
        replace(entry, modality=modality, projection=projection)
        for entry, (modality, projection) in zip(everyone, kinds, strict=True)
    ]
    chosen = choose(everyone, count, seed=1)
    assert len(chosen) == count
    picked = {entry.sha256 for entry in chosen}
    ordered = sorted(everyone, key=lambda entry: entry.sha256)
    for members in strata(ordered, count).values():
        seats = sum(ordered[index].sha256 in picked for index in members)
        share = len(members) / 80 * count
        assert seats <= np.ceil(share) + 1
        assert seats >= min(1, int(count >= len(strata(ordered, count))))
        assert seats >= np.floor(share) - 1
    if count >= 16:
        assert set(count_strata(chosen)) == {"CR bedside", "DX PA", "JPEG unknown"}


def test_strata_cut_severity_within_each_kind(describe_many: Many) -> None:
    everyone = [replace(entry, severity=float(n)) for n, entry in enumerate(describe_many(8))]
    found = strata(everyone, 8)
    assert dict(found) == {
        ("PNG unknown", 0): [0, 1],
        ("PNG unknown", 1): [2, 3],
        ("PNG unknown", 2): [4, 5],
        ("PNG unknown", 3): [6, 7],
    }


def test_a_rare_kind_has_no_more_strata_than_seats(describe_many: Many) -> None:
    everyone = describe_many(40)
    rare = [replace(entry, modality="CR") for entry in everyone[:4]]
    found = strata([*rare, *everyone[4:]], 20)
    assert Counter(kind for kind, _ in found) == {"CR unknown": 2, "PNG unknown": 4}


def test_the_choice_stands_for_all_better_than_nearly_every_random_draw(
    describe_many: Many,
) -> None:
    everyone = describe_many(120)
    for seed in range(3):
        coverage = measure_coverage(everyone, choose(everyone, 24, seed), draws=100)
        assert coverage.beaten >= 0.95
        assert coverage.chosen < coverage.median
        assert list(coverage.random) == sorted(coverage.random)


def test_features_that_are_all_the_same_do_not_break_the_choice(describe_many: Many) -> None:
    everyone = [
        replace(entry, severity=3.0, brightness=0.5, contrast=0.1, lung_area=0.3)
        for entry in describe_many(30)
    ]
    chosen = choose(everyone, 10, seed=0)
    assert len(set(digests(chosen))) == 10
    assert measure_coverage(everyone, chosen).chosen == 0.0


def test_energy_distance_is_that_of_its_definition() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.random((5, 2)), generator.random((7, 2)) + 1

    def mean(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(np.mean([np.hypot(*(a - b)) for a in one for b in other]))

    expected = 2 * mean(first, second) - mean(first, first) - mean(second, second)
    assert energy_distance(first, second) == pytest.approx(expected)
    assert energy_distance(first, first) == 0.0


def test_copies_and_near_copies_are_left_out(describe_many: Many) -> None:
    first, second, *others = describe_many(6)
    near, far = second.average_hash.copy(), second.average_hash.copy()
    near[:SAME_RADIOGRAPH] ^= True
    far[: SAME_RADIOGRAPH + 1] ^= True
    copy = replace(first, sha256="f" * 64, file=first.file.with_name("copy.png"))
    nearly = replace(second, sha256="e" * 64, prepared_sha256="n" * 64, average_hash=near)
    other = replace(second, sha256="d" * 64, prepared_sha256="o" * 64, average_hash=far)
    kept, dropped = drop_duplicates([copy, first, nearly, second, other, *others])
    assert Counter(digests(kept)) == Counter(digests((first, second, other, *others)))
    assert {(entry.file.name, entry.original, entry.exact) for entry in dropped} == {
        ("copy.png", first.file, True),
        (nearly.file.name, second.file, False),
    }
    assert drop_duplicates([]) == ((), ())
