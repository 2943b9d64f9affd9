"""`--drift` of the commands that score: do these radiographs look like what the model knows."""

from collections.abc import Iterable, Iterator

import click

from ..bundles.bundle import Bundle
from ..quality.drift import FEWEST_IMAGES, compare_with_reference
from ..quality.reference_histograms import observe, read_reference
from ..results import ScoredRadiograph, UnscoredFile
from .terminal import tell

Result = ScoredRadiograph | UnscoredFile

drift_option = click.option(
    "--drift/--no-drift",
    default=None,
    help="Tell at the end whether the radiographs look like those the model was calibrated on.  "
    f"[default: for {FEWEST_IMAGES} and more]",
)


def watch_drift(results: Iterable[Result], bundle: Bundle, wanted: bool | None) -> Iterator[Result]:
    """Pass results on, and tell of drift on standard error when there are no more.

    Parameters
    ----------
    results
        Of scoring; unscored files are left out.
    bundle
        The one that scores.
    wanted
        As `drift_option` gives it; None says nothing where there are too few radiographs or the
        bundle has no reference histograms.

    Raises
    ------
    BundleError
        The bundle's reference histograms cannot be used.
    """
    reference = None if wanted is False else read_reference(bundle)
    observations: list[dict[str, float]] = []
    for result in results:
        if reference is not None and isinstance(result, ScoredRadiograph):
            observations.append(observe(result))
        yield result
    if reference is not None and len(observations) >= FEWEST_IMAGES:
        tell(compare_with_reference(reference, observations).sentence())
    elif wanted:
        tell(_why_not(bundle, len(observations), reference is None))


def _why_not(bundle: Bundle, scored: int, missing: bool) -> str:
    if missing:
        return (
            f"Drift: bundle {bundle.root} has no reference histograms; export it with --images, "
            "or see `python -m brixia_edge.calibration.reference_histograms --help`"
        )
    return f"Drift: {scored} scored radiographs are too few to tell; give {FEWEST_IMAGES} or more"
