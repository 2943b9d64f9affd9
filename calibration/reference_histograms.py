"""The reference histograms of a bundle: what the radiographs it is to know look like.

``python -m brixia_edge.calibration.reference_histograms DIR... --bundle BUNDLE`` adds them to a
bundle, or replaces them, without touching its network.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np

from ..runtime.bundles.bundle import Bundle, Network
from ..runtime.bundles.changes import add_files
from ..runtime.bundles.writing import bundle_to_change
from ..runtime.cli import run_alone
from ..runtime.commands.inputs import find_some, reading_mode
from ..runtime.commands.options import bundle_option, isolate_option
from ..runtime.commands.progress import show_progress
from ..runtime.commands.terminal import tell
from ..runtime.errors import CalibrationError
from ..runtime.progress import Progress, unchanged
from ..runtime.quality.drift import FEWEST_IMAGES
from ..runtime.quality.reference_histograms import (
    QUANTITIES,
    REFERENCE,
    QuantityHistogram,
    ReferenceHistograms,
)
from ..runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode
from .choosing.description import Description
from .choosing.survey import Survey, SurveyOptions, survey

BINS = 5
"""Few, so that a bin holds enough of a small set; chance adds with every bin."""


def make_reference(
    bundle: Bundle,
    files: Sequence[Path],
    progress: Progress = unchanged,
    reading: ReadingMode = IN_THIS_PROCESS,
) -> ReferenceHistograms:
    """Score radiographs with a bundle's own network, and count.

    Parameters
    ----------
    bundle
        Of any precision.
    files
        DICOM, PNG or JPEG files. Unreadable and doubtful ones and copies are passed over, as for
        calibration.
    progress
        Gets the radiographs and passes them on.
    reading
        How files are read.

    Raises
    ------
    CalibrationError
        Fewer than `drift.FEWEST_IMAGES` are usable.
    BackendUnavailable
        ONNX Runtime cannot load the network.
    """
    return reference_of(survey(bundle, files, SurveyOptions(reading=reading), progress), bundle)


def reference_of(surveyed: Survey, network: Network) -> ReferenceHistograms:
    """Count what a look through radiographs has measured already.

    Parameters
    ----------
    surveyed
        What the network, in whatever precision, gave for them.
    network
        Whose manifest they are for.

    Raises
    ------
    CalibrationError
        Fewer than `drift.FEWEST_IMAGES` are usable.
    """
    usable = surveyed.usable
    if len(usable) < FEWEST_IMAGES:
        raise CalibrationError(
            f"{len(usable)} of {surveyed.found} files are usable radiographs; reference "
            f"histograms need {FEWEST_IMAGES}. Give more"
        )
    observed = [_observe(description) for description in usable]
    return ReferenceHistograms(
        weights_sha256=network.manifest.weights_sha256,
        preprocess_digest=network.manifest.preprocess.digest,
        images=tuple(sorted(description.sha256 for description in usable)),
        quantities={name: histogram([one[name] for one in observed]) for name in QUANTITIES},
    )


def _observe(description: Description) -> Mapping[str, float]:
    """`runtime.reference.observe` of what calibration has already measured."""
    return {
        "brightness": description.brightness,
        "lung_area": description.lung_area,
        "global_score": float(description.global_score),
        "expected_global": description.severity,
    }


def histogram(values: Sequence[float]) -> QuantityHistogram:
    """Count values in bins that hold about equally many.

    Equal values never part, so that a quantity of few different values has fewer bins.
    """
    inner = np.quantile(values, np.arange(1, BINS) / BINS, method="higher")
    edges = tuple(float(edge) for edge in np.unique(inner) if edge > min(values))
    counts = QuantityHistogram(edges, (0,) * (len(edges) + 1)).count(values)
    return QuantityHistogram(edges, tuple(counts.tolist()))


def add_reference(
    bundle: Bundle,
    files: Sequence[Path],
    progress: Progress = unchanged,
    reading: ReadingMode = IN_THIS_PROCESS,
) -> Bundle:
    """Make reference histograms and put them into the bundle, in place of any it has.

    Parameters
    ----------
    bundle, files, progress, reading
        As `make_reference`.

    Raises
    ------
    CalibrationError, BackendUnavailable
        As `make_reference`.
    BundleError
        They cannot be written; the bundle is as it was.
    """
    reference = make_reference(bundle, files, progress, reading)
    return add_files(bundle, {REFERENCE: reference.to_json().encode()})


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="DIR...")
@bundle_option(required=True)
@isolate_option
def command(paths: tuple[str, ...], bundle: Path, isolate: bool | None) -> None:
    """Put reference histograms of radiographs into a bundle."""
    files = find_some(paths).files
    reading = reading_mode(isolate, paths, files)
    with bundle_to_change(bundle) as opened:
        add_reference(opened, files, show_progress, reading)
    tell(f"Wrote {bundle / REFERENCE}")


if __name__ == "__main__":
    run_alone(command, "python -m brixia_edge.calibration.reference_histograms")
