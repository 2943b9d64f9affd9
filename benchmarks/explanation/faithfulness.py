"""Whether explanations name what the network used: deletion curves over many radiographs.

``python -m brixia_edge.benchmarks.explanation.faithfulness --images DIR -o REPORT.json`` compares
super-pixels blanked in the order of the zone evidence, in that of their own occlusion, and at
random. A lower area is a better explanation. Occlusion is measured by blanking itself, so it has
the advantage.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from ...runtime.bundles.bundle import Bundle
from ...runtime.cli import run_alone
from ...runtime.commands.inputs import find_some
from ...runtime.commands.options import PATH, bundle_option, output_option, overwrite_option
from ...runtime.commands.terminal import show_json, tell
from ...runtime.commands.writing import OutputRule
from ...runtime.explanation.evidence import EVIDENCE, explain_by_evidence
from ...runtime.explanation.explainer import NEEDED_OUTPUTS
from ...runtime.explanation.occlusion import OCCLUSION, probability_drops
from ...runtime.explanation.superpixels import lung_superpixels
from ...runtime.files import write_file
from ...runtime.preparation.preprocess import preprocess
from ...runtime.results import RESEARCH_USE, ScoredRadiograph
from ...runtime.scorer import Scorer
from ...runtime.sources.isolated import ISOLATED
from .deletion import FRACTIONS, ExplainedRadiograph, area_under, deletion_curve

RANDOM = "random"
RANDOM_ORDERS = 3
"""Their curves are averaged."""

_RESAMPLES = 10_000

Curves = Mapping[str, NDArray[np.float64]]
"""For one radiograph, a deletion curve by the name of the order."""


@dataclass(frozen=True)
class Estimate:
    """A mean over radiographs with its 95 % interval by the percentile bootstrap."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Faithfulness:
    """What the curves of many radiographs say.

    Attributes
    ----------
    images
        How many radiographs.
    curves
        Mean curve of each order over `deletion.FRACTIONS`.
    areas
        Area under it.
    differences
        First order's area less the second's, radiograph by radiograph; by ``first - second``.
    """

    images: int
    curves: Mapping[str, tuple[float, ...]]
    areas: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]


def measure_curves(scorer: Scorer, result: ScoredRadiograph, orders: Sequence[str]) -> Curves:
    """Follow the deletion curves of one radiograph.

    Parameters
    ----------
    scorer
        ``Scorer(outputs=NEEDED_OUTPUTS)``.
    result
        Its score of the radiograph.
    orders
        Names of `ORDERS`.

    Raises
    ------
    UnsupportedImage
        The network found no lungs.
    MissingExtra
        scikit-image is not installed.
    """
    image = preprocess(result.radiograph, scorer.bundle.manifest.preprocess)
    subject = ExplainedRadiograph(
        result, image, lung_superpixels(image[0, 0], result.prediction.lung_mask)
    )
    return {
        name: np.mean(
            [deletion_curve(scorer, subject, weights) for weights in ORDERS[name](scorer, subject)],
            axis=0,
        )
        for name in orders
    }


def _by_evidence(_scorer: Scorer, subject: ExplainedRadiograph) -> list[NDArray[np.float64]]:
    maps = explain_by_evidence(subject.result).zone_maps
    return [subject.own(np.column_stack([subject.means(zone_map) for zone_map in maps]))]


def _by_occlusion(scorer: Scorer, subject: ExplainedRadiograph) -> list[NDArray[np.float64]]:
    pieces = [subject.labels == label for label in range(1, len(subject.areas) + 1)]
    return [subject.own(probability_drops(scorer, subject.result, subject.image, pieces))]


def _at_random(_scorer: Scorer, subject: ExplainedRadiograph) -> list[NDArray[np.float64]]:
    # Seeded by the image, so that a radiograph has the same orders in every run.
    generator = np.random.default_rng(zlib.crc32(subject.image.tobytes()))
    return [generator.random(len(subject.areas)) for _ in range(RANDOM_ORDERS)]


ORDERS: Mapping[str, Callable[[Scorer, ExplainedRadiograph], list[NDArray[np.float64]]]] = {
    EVIDENCE: _by_evidence,
    RANDOM: _at_random,
    OCCLUSION: _by_occlusion,
}
"""Each gives weights of the super-pixels, the heaviest to go first; the curves are averaged."""


def summarise(curves: Sequence[Curves]) -> Faithfulness:
    """Average curves and areas over radiographs, with paired differences of the areas."""
    areas = {name: np.array([area_under(curve[name]) for curve in curves]) for name in curves[0]}
    return Faithfulness(
        images=len(curves),
        curves={
            name: tuple(np.mean([curve[name] for curve in curves], axis=0).tolist())
            for name in areas
        },
        areas={name: estimate(values) for name, values in areas.items()},
        differences={
            f"{first} - {second}": estimate(areas[first] - areas[second])
            for first, second in combinations(areas, 2)
        },
    )


def estimate(values: NDArray[np.float64]) -> Estimate:
    """The mean of independent values and its 95 % bootstrap interval."""
    drawn = np.random.default_rng(0).choice(values, (_RESAMPLES, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(float(values.mean()), float(low), float(high))


def report(scorer: Scorer, curves: Mapping[str, Curves]) -> dict[str, object]:
    """Everything as JSON: the summary, each radiograph's curves, and which model it was."""
    return {
        "notice": RESEARCH_USE,
        "model": asdict(scorer.bundle.identity),
        "backend": scorer.session.backend,
        "fractions": FRACTIONS,
        **asdict(summarise(list(curves.values()))),
        "by_image": {
            file: {name: curve.tolist() for name, curve in one.items()}
            for file, one in curves.items()
        },
    }


@click.command()
@click.option("--images", type=PATH, multiple=True, required=True)
@output_option("The report (JSON).")
@bundle_option()
@click.option(
    "--order",
    "orders",
    type=click.Choice(list(ORDERS)),
    multiple=True,
    default=list(ORDERS),
    show_default=True,
    help="occlusion takes five times as long as the other two together.",
)
@click.option("--limit", type=click.IntRange(1), help="So many, spread over the files.")
@overwrite_option("a report that exists")
def command(  # noqa: PLR0913, PLR0917 - one for each option
    images: tuple[Path, ...],
    output: Path,
    bundle: Path | None,
    orders: tuple[str, ...],
    limit: int | None,
    overwrite: bool,
) -> None:
    """Measure how faithful explanations are, by deletion curves."""
    files = spread(find_some(list(map(str, images))).files, limit)
    opened = Bundle.open(bundle)
    OutputRule([*files, *opened.paths], overwrite).check(output)
    with Scorer(opened, outputs=NEEDED_OUTPUTS, reading=ISOLATED) as scorer:
        curves = dict[str, Curves]()
        for result in _scored(scorer, files):
            curves[result.file.name] = measure_curves(scorer, result, orders)
            # Hours of work: what is there is kept if the rest is cut short.
            found = json.dumps(report(scorer, curves), indent=1) + "\n"
            write_file(output, found.encode(), overwrite=True)
            tell(f"{len(curves)} of {len(files)}")
    show_json(asdict(summarise(list(curves.values()))))


def spread(files: Sequence[Path], limit: int | None) -> Sequence[Path]:
    """Take at most `limit` files, evenly over all."""
    if limit is None or limit >= len(files):
        return files
    return [files[index * len(files) // limit] for index in range(limit)]


def _scored(scorer: Scorer, files: Iterable[Path]) -> Iterable[ScoredRadiograph]:
    """Pass over what cannot be scored, and what has no lungs to blank."""
    for result in scorer.score_many(files):
        if isinstance(result, ScoredRadiograph) and result.quality.ok:
            yield result
        else:
            tell(f"{result.file.name}: passed over")


if __name__ == "__main__":
    run_alone(command, "python -m brixia_edge.benchmarks.explanation.faithfulness")
