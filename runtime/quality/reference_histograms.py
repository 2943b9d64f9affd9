"""What a model knows: histograms of the radiographs that a bundle was calibrated on.

They lie in the bundle as ``reference.json`` and say nothing of a single image. `drift` compares
others with them. The brightness is that of the radiograph itself: the network's input is
equalised, so every input has about the same histogram.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundles.bundle import Bundle
from ..errors import BundleError
from ..results import ScoredRadiograph
from .measures import brightness, lung_share

REFERENCE = "reference.json"
"""The file's name in a bundle."""

REFERENCE_SCHEMA = 1

QUANTITIES: Mapping[str, Callable[[ScoredRadiograph], float]] = {
    "brightness": lambda result: brightness(result.radiograph),
    "lung_area": lambda result: lung_share(result.prediction.lung_mask),
    "global_score": lambda result: float(result.score.global_score),
    "expected_global": lambda result: result.score.expected_global,
}
"""What is watched: each a number of one scored radiograph.

``brightness`` is the mean of the radiograph's pixels, ``lung_area`` the share of the input that the
network takes for lung, both 0.0 to 1.0; the scores are 0.0 to 18.0.
"""


def observe(result: ScoredRadiograph) -> dict[str, float]:
    """Measure every quantity of one scored radiograph, by name."""
    return {name: measure(result) for name, measure in QUANTITIES.items()}


@dataclass(frozen=True)
class QuantityHistogram:
    """How often values of one quantity occurred.

    Attributes
    ----------
    edges
        Ascending inner edges; a value on an edge belongs to the bin above it. The first bin has
        no lower end and the last no upper one, so that every value has a bin.
    counts
        Radiographs in each bin, one more than edges.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def count(self, values: Sequence[float]) -> NDArray[np.int64]:
        """Sort other values into the same bins: int64 ``[bins]``."""
        places = np.searchsorted(np.array(self.edges), values, side="right")
        return np.bincount(places, minlength=len(self.counts)).astype(np.int64)


@dataclass(frozen=True)
class ReferenceHistograms:
    """The histograms of one bundle, and where they come from.

    Attributes
    ----------
    weights_sha256, preprocess_digest
        Of the bundle that scored the radiographs; the scores and the lungs are its own.
    images
        SHA-256 of the radiographs' files.
    quantities
        One histogram for each of `QUANTITIES`.
    """

    weights_sha256: str
    preprocess_digest: str
    images: tuple[str, ...]
    quantities: Mapping[str, QuantityHistogram]
    schema_version: int = REFERENCE_SCHEMA

    def to_json(self) -> str:
        """Write them as readable JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ReferenceHistograms":
        """Read them.

        Raises
        ------
        BundleError
            It is not JSON, of another schema, or an entry is missing or of a wrong kind.
        """
        try:
            return _parse(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BundleError(
                f"{REFERENCE} is damaged ({type(error).__name__}: {error}); export the bundle again"
            ) from error


def read_reference(bundle: Bundle) -> ReferenceHistograms | None:
    """Read a bundle's reference histograms; None where it has none.

    Raises
    ------
    BundleError
        They cannot be read, or are of another model.
    """
    if REFERENCE not in bundle.manifest.files:
        return None
    try:
        text = (bundle.root / REFERENCE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{bundle.root / REFERENCE} cannot be read: {error}") from error
    reference = ReferenceHistograms.from_json(text)
    manifest = bundle.manifest
    if (reference.weights_sha256, reference.preprocess_digest) != (
        manifest.weights_sha256,
        manifest.preprocess.digest,
    ):
        raise BundleError(
            f"{bundle.root / REFERENCE} was made with other weights or another preparation than "
            "the bundle's; make it again, or export the bundle again"
        )
    return reference


def _parse(entries: Mapping[str, Any]) -> ReferenceHistograms:
    if entries["schema_version"] != REFERENCE_SCHEMA:
        raise ValueError(
            f"schema_version is {entries['schema_version']!r}, this brixia-edge reads "
            f"{REFERENCE_SCHEMA}"
        )
    return ReferenceHistograms(
        weights_sha256=str(entries["weights_sha256"]),
        preprocess_digest=str(entries["preprocess_digest"]),
        images=tuple(map(str, entries["images"])),
        quantities={name: _histogram(entries["quantities"][name]) for name in QUANTITIES},
    )


def _histogram(entries: Mapping[str, Any]) -> QuantityHistogram:
    edges = tuple(map(float, entries["edges"]))
    counts = tuple(map(int, entries["counts"]))
    if len(counts) != len(edges) + 1 or min(counts) < 0 or not sum(counts):
        raise ValueError(f"{len(edges)} edges and the counts {counts} make no histogram")
    if list(edges) != sorted(set(edges)) or not np.isfinite(edges).all():
        raise ValueError(f"the edges {edges} do not ascend")
    return QuantityHistogram(edges, counts)
