"""The radiographs that a bundle scores worst and best."""

from collections.abc import Sequence

from .results import Case
from .statistics.raters import Pair

CASES = 5


def rank_cases(
    score: Pair, expected: Pair, names: Sequence[str], warnings: Sequence[tuple[str, ...]]
) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """Worst and best, `CASES` each at most, by error of the global score, ties by the zones'.

    What is still tied goes by the expected score's errors, then by name.

    Parameters
    ----------
    score, expected
        The bundle read in its two ways, beside the same reader.
    names, warnings
        Of all evaluated images.
    """
    cases = [_case(index, score, expected, names, warnings) for index in range(len(score.images))]
    ordered = sorted(cases, key=_rank)
    return tuple(reversed(ordered[-CASES:])), tuple(ordered[:CASES])


def _rank(case: Case) -> tuple[float, float, float, str]:
    expected = zip(case.expected, case.reference, strict=True)
    return (
        case.global_error,
        case.zone_error,
        sum(abs(value - truth) for value, truth in expected),
        case.file,
    )


def _case(
    index: int,
    score: Pair,
    expected: Pair,
    names: Sequence[str],
    warnings: Sequence[tuple[str, ...]],
) -> Case:
    values, truth = score.rater.values[index], score.reference.values[index]
    image = int(score.images[index])
    return Case(
        file=names[image],
        reference=tuple(map(float, truth)),
        score=tuple(map(int, score.rater.whole_scores[index])),
        expected=tuple(map(float, expected.rater.values[index])),
        global_error=float(abs(values.sum() - truth.sum())),
        zone_error=float(abs(values - truth).sum()),
        warnings=warnings[image],
    )
