"""Whether what the node scored lately looks like what its bundle was calibrated on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...bundles.bundle import Bundle
from ...errors import BundleError
from ...quality.drift import FEWEST_IMAGES, DriftReport, compare_with_reference
from ...quality.reference_histograms import ReferenceHistograms, read_reference
from ..state.views import Views


def drift_of(views: Views, bundle: Bundle) -> DriftReport | None:
    """How far the images that a bundle scored last differ from its reference histograms.

    None of too few images, or where the bundle has no histograms.

    Raises
    ------
    BundleError
        The histograms cannot be used.
    """
    reference = read_reference(bundle)
    return None if reference is None else _compared(views, bundle.digest, reference)


def _compared(views: Views, digest: str, reference: ReferenceHistograms) -> DriftReport | None:
    observations = views.observations(digest)
    if len(observations) < FEWEST_IMAGES:
        return None
    return compare_with_reference(reference, observations)


@dataclass(frozen=True)
class _Known:
    path: Path | None
    digest: str
    reference: ReferenceHistograms | None


class DriftWatch:
    """Compares the images that the bundle in use scored last with its reference histograms.

    Parameters
    ----------
    views
        Knows what was observed of each image.
    current
        Says where the bundle in use lies; None for the one that ships.
    """

    def __init__(self, views: Views, current: Callable[[], Path | None]) -> None:
        self._views, self._current = views, current
        self._known: _Known | None = None

    def report(self) -> DriftReport | None:
        """How far they differ; None of too few images, or where the bundle has no histograms."""
        path = self._current()
        if self._known is None or self._known.path != path:
            self._known = self._open(path)
        if self._known.reference is None:
            return None
        return _compared(self._views, self._known.digest, self._known.reference)

    def _open(self, path: Path | None) -> _Known:
        try:
            bundle = Bundle.open(path)
            return _Known(path, bundle.digest, read_reference(bundle))
        except BundleError as error:
            self._views.note("drift", f"drift cannot be watched: {error}")
            return _Known(path, "", None)
