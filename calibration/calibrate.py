"""Radiographs become a calibration table: look through, choose, collect, clip."""

import platform
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from ..runtime.bundles.bundle import Bundle, Network
from ..runtime.errors import CalibrationError
from ..runtime.progress import Progress, unchanged
from ..runtime.results import UnscoredFile
from ..runtime.sources.isolated import open_source
from ..runtime.sources.source import PreparedRadiograph
from .choosing.description import Description
from .choosing.selection import choose
from .choosing.survey import Survey, survey
from .options import CalibrationOptions
from .ranges.collector import Collector
from .ranges.histogram import Histogram
from .ranges.table import CalibrationTable, Range
from .ranges.thresholds import clipping_range

_PACKAGES = ("brixia-edge", "onnx", "onnxruntime", "numpy", "opencv-python-headless")


def calibrate(
    bundle: Bundle,
    files: Sequence[Path],
    options: CalibrationOptions | None = None,
    progress: Progress = unchanged,
) -> CalibrationTable:
    """Choose representative radiographs and measure the range of every tensor on them.

    Parameters
    ----------
    bundle
        The float32 bundle.
    files
        DICOM, PNG or JPEG files; those that cannot be used are passed over.
    options
        How to choose and clip; None takes the defaults.
    progress
        Called twice, with the files and with the chosen radiographs; passes them on.

    Raises
    ------
    CalibrationError
        The bundle is not float32, too few radiographs are usable, or a tensor does not exist or is
        not finite.
    BackendUnavailable
        ONNX Runtime cannot load the network.
    """
    options = options or CalibrationOptions()
    check_bundle(bundle)
    surveyed = survey(bundle, files, options.survey, progress)
    return measure(bundle, choose_from(surveyed, options), options, progress)


def check_bundle(bundle: Bundle) -> None:
    """Refuse a bundle that cannot be calibrated.

    Raises
    ------
    CalibrationError
        It is not float32.
    """
    precision = bundle.manifest.precision
    if precision != "fp32":
        raise CalibrationError(
            f"bundle {bundle.root} is {precision}: its rounding would be measured as if the "
            "network were so; calibrate with the fp32 bundle of the same weights"
        )


def choose_from(surveyed: Survey, options: CalibrationOptions) -> tuple[Description, ...]:
    """Choose among the usable radiographs.

    Raises
    ------
    CalibrationError
        There are fewer than the minimum; the message says what became of the others.
    """
    usable = len(surveyed.usable)
    if usable < options.minimum:
        counts = ", ".join(f"{number} {kind}" for kind, number in surveyed.counts().items())
        raise CalibrationError(
            f"{usable} of {surveyed.found} files can be calibrated on"
            f"{f' ({counts})' if counts else ''}; at least {options.minimum} different "
            "frontal chest radiographs are needed. Give more, or a lower --minimum"
        )
    return choose(surveyed.usable, options.images, options.seed)


def measure(
    network: Network,
    chosen: Sequence[Description],
    options: CalibrationOptions,
    progress: Progress = unchanged,
) -> CalibrationTable:
    """Run the chosen radiographs through the network and clip what it shows.

    Raises
    ------
    CalibrationError
        A tensor does not exist or is not finite; the message names it and the radiograph's digest.
    """
    collector = Collector(network.model, options.tensors)
    with closing(open_source(network.manifest.preprocess, options.reading)) as source:
        read = source.prepared_many(description.file for description in chosen)
        for description, outcome in progress(
            "Collecting", zip(chosen, read, strict=True), len(chosen)
        ):
            _collect(collector, description, outcome)
    return _table(network, chosen, options, collector.histograms())


def _collect(
    collector: Collector, description: Description, outcome: PreparedRadiograph | UnscoredFile
) -> None:
    if isinstance(outcome, UnscoredFile):
        raise outcome.error
    try:
        collector.add(outcome.image)
    except CalibrationError as error:
        # The digest, not the name: names of files hold names of patients.
        raise CalibrationError(f"radiograph {description.sha256[:12]}: {error}") from error


def _table(
    network: Network,
    chosen: Sequence[Description],
    options: CalibrationOptions,
    histograms: Mapping[str, Histogram],
) -> CalibrationTable:
    return CalibrationTable(
        weights_sha256=network.manifest.weights_sha256,
        preprocess_digest=network.manifest.preprocess.digest,
        method=options.method,
        ranges={
            name: clipping_range(seen, options.method, options.percentile)
            for name, seen in histograms.items()
        },
        images=tuple(description.sha256 for description in chosen),
        seed=options.seed,
        built_with=_versions(),
        observed={name: Range(seen.lowest, seen.highest) for name, seen in histograms.items()},
        percentile=options.percentile,
    )


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
