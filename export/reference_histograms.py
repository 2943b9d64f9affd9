"""Reference histograms for a bundle that was just exported, from the radiographs at hand."""

from io import BytesIO
from pathlib import Path

from ..calibration.reference_histograms import add_reference
from ..runtime.bundles.bundle import Bundle
from ..runtime.errors import CalibrationError
from ..runtime.progress import Progress, unchanged
from ..runtime.quality.drift import FEWEST_IMAGES
from ..runtime.quality.reference_histograms import REFERENCE
from ..runtime.reading.inputs import find_inputs
from ..runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode
from .precision.evidence import EvidenceOptions


def reference_files(where: EvidenceOptions) -> tuple[Path, ...]:
    """Every radiograph of the export's folders, for calibration and for measuring."""
    folders = [path for path in (where.calibration, where.images) if path and path.is_dir()]
    return find_inputs(map(str, folders), BytesIO()).files


def with_reference(
    bundle: Bundle,
    where: EvidenceOptions,
    progress: Progress = unchanged,
    reading: ReadingMode = IN_THIS_PROCESS,
) -> tuple[Bundle, str | None]:
    """Add reference histograms to a bundle that has none, where there are radiographs enough.

    Parameters
    ----------
    bundle
        The bundle.
    where
        The folders of radiographs.
    progress, reading
        As `add_reference`.

    Returns
    -------
    The bundle, and why it has none although there are radiographs.

    Raises
    ------
    BackendUnavailable, BundleError
        As `add_reference`; the bundle is as it was.
    """
    if REFERENCE in bundle.manifest.files:
        return bundle, None
    files = reference_files(where)
    if not files:
        return bundle, None
    if len(files) < FEWEST_IMAGES:
        return bundle, f"reference histograms need {FEWEST_IMAGES} radiographs, not {len(files)}"
    try:
        return add_reference(bundle, files, progress, reading), None
    except CalibrationError as error:
        return bundle, str(error)
