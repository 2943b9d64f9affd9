"""The calibration table: a clipping range for each tensor, and what it was measured on.

It is JSON, one line a tensor, so that it can be read, compared and kept. It belongs to one network
and one way of preparing images: `CalibrationTable.check` refuses it for any other.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...runtime.bundles.bundle import Bundle
from ...runtime.bundles.manifest import Manifest
from ...runtime.documents import LARGEST_DOCUMENT
from ...runtime.errors import CalibrationError
from ...runtime.files import read_file, why, write_file
from .table_entries import METHODS, SCHEMA_VERSION, read_entries

__all__ = ["METHODS", "CalibrationTable", "Range"]

CALIBRATION = "calibration.json"
"""The table's name in a bundle of low precision."""

_NAMED = 8
"""How many tensors an error names before it only counts them."""


@dataclass(frozen=True)
class Range:
    """The values from `lowest` to `highest`, both included, in the tensor's own unit.

    For symmetric quantisation only `magnitude` counts.

    Raises
    ------
    CalibrationError
        An end is not finite, or they are in the wrong order.
    """

    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lowest) and math.isfinite(self.highest)):
            raise CalibrationError(f"a range is {self.lowest} to {self.highest}; it must be finite")
        if self.lowest > self.highest:
            raise CalibrationError(
                f"a range is {self.lowest} to {self.highest}; the lowest must come first"
            )

    @property
    def magnitude(self) -> float:
        """The largest absolute value."""
        return max(abs(self.lowest), abs(self.highest))

    @property
    def constant(self) -> bool:
        """Whether it holds a single value."""
        return self.lowest == self.highest


@dataclass(frozen=True)
class CalibrationTable:
    """What `calibrate` measured.

    Attributes
    ----------
    weights_sha256
        Digest of the network's weights, as in its bundle's manifest.
    preprocess_digest
        `PreprocessSpec.digest` of the preparation of the radiographs.
    method
        One of `METHODS`: how `ranges` follow from the histograms.
    ranges
        The clipping range of each tensor.
    images
        SHA-256 of each calibration file's content; no names.
    seed
        What the radiographs were chosen with.
    built_with
        Versions of what measured.
    observed
        The lowest and the highest value of each tensor.
    percentile
        What the method ``percentile`` kept, of 100; other methods do not use it.
    """

    weights_sha256: str
    preprocess_digest: str
    method: str
    ranges: Mapping[str, Range]
    images: tuple[str, ...]
    seed: int
    built_with: Mapping[str, str]
    observed: Mapping[str, Range]
    percentile: float = 99.99

    @property
    def constants(self) -> tuple[str, ...]:
        """Tensors that had one and the same value throughout: they cannot be quantised."""
        return tuple(name for name, seen in self.observed.items() if seen.constant)

    def check(self, manifest: Manifest) -> None:
        """Refuse the table for another network or another preparation.

        Raises
        ------
        CalibrationError
            The manifest's weights or preparation are not those of the table.
        """
        _check_equal("weights", self.weights_sha256, manifest.weights_sha256)
        _check_equal("image preparation", self.preprocess_digest, manifest.preprocess.digest)

    def require(self, tensors: Iterable[str]) -> None:
        """Refuse the table when it gives no usable range for one of `tensors`.

        Raises
        ------
        CalibrationError
            It lacks a tensor, or a tensor was constant and so has no scale; they are named.
        """
        tensors = tuple(tensors)
        if lacking := [name for name in tensors if name not in self.ranges]:
            raise CalibrationError(
                f"the calibration table lacks {_some(lacking)}; calibrate again with the bundle "
                "that is to be quantised"
            )
        constants = set(self.constants)
        if constant := [name for name in tensors if name in constants]:
            raise CalibrationError(
                f"constant in every calibration radiograph, so without a scale: {_some(constant)}; "
                "calibrate with other radiographs, or leave these tensors in float"
            )

    def to_json(self) -> str:
        """Write the table, one line a tensor; equal tables give equal text."""
        head = {
            "schema_version": SCHEMA_VERSION,
            "weights_sha256": self.weights_sha256,
            "preprocess_digest": self.preprocess_digest,
            "method": self.method,
            "percentile": self.percentile,
            "seed": self.seed,
            "built_with": dict(self.built_with),
            "images": list(self.images),
        }
        tensors = ",\n".join(self._line(name) for name in self.ranges)
        return f'{json.dumps(head, indent=2)[:-2]},\n  "tensors": {{\n{tensors}\n  }}\n}}\n'

    def _line(self, name: str) -> str:
        clip, seen = self.ranges[name], self.observed[name]
        entry = {
            "range": [clip.lowest, clip.highest],
            "observed": [seen.lowest, seen.highest],
        }
        return f"    {json.dumps(name)}: {json.dumps(entry)}"

    @classmethod
    def from_json(cls, text: str | bytes) -> "CalibrationTable":
        """Read a table.

        Raises
        ------
        CalibrationError
            It is not JSON, of another schema, or an entry is missing, unknown or not allowed.
        """
        entries = read_entries(text)
        tensors = {name: _tensor(name, entry) for name, entry in entries["tensors"].items()}
        return cls(
            weights_sha256=entries["weights_sha256"],
            preprocess_digest=entries["preprocess_digest"],
            method=entries["method"],
            ranges={name: clip for name, (clip, _) in tensors.items()},
            images=tuple(entries["images"]),
            seed=entries["seed"],
            built_with=entries["built_with"],
            observed={name: seen for name, (_, seen) in tensors.items()},
            percentile=entries["percentile"],
        )

    def save(self, path: Path, overwrite: bool = False) -> None:
        """Write the table so that it appears whole or not at all.

        Raises
        ------
        OutputRefused
            The file exists and may not be replaced, or is being written.
        CalibrationError
            It cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, self.to_json().encode(), overwrite)
        except OSError as error:
            raise CalibrationError(
                f"calibration table {path} cannot be written: {why(error)}"
            ) from error

    @classmethod
    def load(cls, path: Path) -> "CalibrationTable":
        """Read a table from a file.

        Raises
        ------
        CalibrationError
            The file cannot be read, or is no table; the message names it.
        """
        try:
            return cls.from_json(read_file(path, LARGEST_DOCUMENT))
        except OSError as error:
            raise CalibrationError(
                f"calibration table {path} cannot be read: {why(error)}; give the file that "
                "`brixia-edge calibrate` wrote"
            ) from error
        except CalibrationError as error:
            raise CalibrationError(f"{path}: {error}") from error


def calibrated_images(bundle: Bundle) -> frozenset[str]:
    """SHA-256 of the files that a bundle of low precision was calibrated on; else none.

    Raises
    ------
    CalibrationError
        The bundle's table is none.
    """
    if CALIBRATION not in bundle.manifest.files:
        return frozenset()
    return frozenset(CalibrationTable.load(bundle.root / CALIBRATION).images)


def _check_equal(what: str, table: str, manifest: str) -> None:
    if table != manifest:
        raise CalibrationError(
            f"the calibration table was made with other {what} (digest {table[:12]}...) than this "
            f"bundle has ({manifest[:12]}...); calibrate again with `brixia-edge calibrate "
            "--bundle` and the float32 bundle of this network"
        )


def _some(names: list[str]) -> str:
    rest = len(names) - _NAMED
    more = f" and {rest} more" if rest > 0 else ""
    return f"{len(names)} tensors ({', '.join(names[:_NAMED])}{more})"


def _tensor(name: str, entry: Mapping[str, Sequence[float]]) -> tuple[Range, Range]:
    try:
        clip, seen = (Range(*map(float, entry[ends])) for ends in ("range", "observed"))
    except CalibrationError as error:
        raise CalibrationError(
            f"tensor {name} of a calibration table: {error}; calibrate again"
        ) from error
    return clip, seen
