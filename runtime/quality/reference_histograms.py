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
from ..documents import (
    LARGEST_DOCUMENT,
    SHA256,
    exactly,
    having,
    list_of,
    number,
    parse_document,
    version,
    whole,
)
from ..errors import BundleError
from ..files import read_file, why
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


_HISTOGRAM = exactly(
    {"edges": list_of(number(), 10_000), "counts": list_of(whole(0, 1_000_000_000), 10_001)}
)

SCHEMA = exactly(
    {
        "schema_version": version(REFERENCE_SCHEMA),
        "weights_sha256": SHA256,
        "preprocess_digest": SHA256,
        "images": list_of(SHA256, 200_000),
        "quantities": having(dict.fromkeys(QUANTITIES, _HISTOGRAM)),
    }
)
"""Of the file."""


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
    def from_json(cls, text: str | bytes) -> "ReferenceHistograms":
        """Read them.

        Raises
        ------
        BundleError
            It is not JSON, of another schema, or an entry is missing or of a wrong kind.
        """
        advice = "export the bundle again"
        entries = parse_document(text, SCHEMA, REFERENCE, BundleError, advice)
        try:
            return _from_entries(entries)
        except ValueError as error:
            raise BundleError(f"{REFERENCE} is damaged ({error}); {advice}") from error


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
        content = read_file(bundle.root / REFERENCE, LARGEST_DOCUMENT)
    except OSError as error:
        raise BundleError(f"{bundle.root / REFERENCE} cannot be read: {why(error)}") from error
    reference = ReferenceHistograms.from_json(content)
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


def _from_entries(entries: Mapping[str, Any]) -> ReferenceHistograms:
    return ReferenceHistograms(
        weights_sha256=entries["weights_sha256"],
        preprocess_digest=entries["preprocess_digest"],
        images=tuple(entries["images"]),
        quantities={name: _histogram(entries["quantities"][name]) for name in QUANTITIES},
    )


def _histogram(entries: Mapping[str, Any]) -> QuantityHistogram:
    edges = tuple(map(float, entries["edges"]))
    counts = tuple(entries["counts"])
    if len(counts) != len(edges) + 1 or not sum(counts):
        raise ValueError(f"{len(edges)} edges and {len(counts)} counts make no histogram")
    if list(edges) != sorted(set(edges)):
        raise ValueError("the edges do not ascend")
    return QuantityHistogram(edges, counts)
