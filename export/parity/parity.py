"""Whether an exported network computes what its reference does, measured by running it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from ...runtime.backends.onnxrt_session import open_network
from ...runtime.contract import (
    ALIGNMENT,
    IMAGE,
    INPUT_SIZE,
    LUNG_MASK,
    PROBABILITIES,
    ZONE_EVIDENCE,
)
from ...runtime.errors import WeightsError
from ...runtime.files import open_regular

Arrays = Mapping[str, NDArray[np.float32]]

_LARGEST_GOLDEN = 1 << 30
"""Bytes, unpacked; that of the released weights has 40 MB."""

ZONE_LOGITS = "zone_logits"
TOLERANCE = 1e-4
"""Largest relative L2 error of any output."""

HALF_TOLERANCE = 6e-4
"""The same for a reference that is stored in half precision."""

NETWORK_ORDER = (0, 2, 4, 1, 3, 5)
"""Where the zones A to F stand in the original's output (A D B E C F)."""


@dataclass(frozen=True)
class OutputError:
    """How far one output is from its reference.

    Attributes
    ----------
    relative_l2
        Norm of the difference over the norm of the reference.
    maximum
        Largest absolute difference.
    tolerance
        The relative L2 error that is allowed; None where it is only told.
    """

    relative_l2: float
    maximum: float
    tolerance: float | None

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance (a NaN is not)."""
        return self.tolerance is None or self.relative_l2 <= self.tolerance


@dataclass(frozen=True)
class OutputParity:
    """The errors of all outputs against one reference."""

    reference: str
    images: int
    outputs: Mapping[str, OutputError]

    @property
    def ok(self) -> bool:
        """Whether every output is within its tolerance."""
        return all(error.ok for error in self.outputs.values())

    def to_dict(self) -> dict[str, object]:
        """As it stands in ``parity.json``."""
        return asdict(self)


def run_onnx(model: bytes, images: NDArray[np.float32], batch: int = 1) -> Arrays:
    """Run a model on ONNX Runtime's CPU provider, `batch` images at a time, all outputs."""
    session = open_network(model)
    names: list[str] = [output.name for output in session.get_outputs()]
    batches = [images[start : start + batch] for start in range(0, len(images), batch)]
    runs = [session.run(names, {IMAGE: images}) for images in batches]
    return {name: np.concatenate([run[index] for run in runs]) for index, name in enumerate(names)}


def compare(
    actual: Arrays, expected: Arrays, reference: str, tolerance: float | None = TOLERANCE
) -> OutputParity:
    """Compare every output that the reference holds.

    A reference in half precision is compared at `HALF_TOLERANCE`; with no tolerance the errors
    are only told.
    """
    errors = {name: _error(actual[name], value, tolerance) for name, value in expected.items()}
    return OutputParity(reference, len(next(iter(expected.values()))), errors)


def with_zone_logits(outputs: Arrays) -> Arrays:
    """Add the zone logits, the spatial mean of the zone evidence, which a golden file holds."""
    return {**outputs, ZONE_LOGITS: outputs[ZONE_EVIDENCE].mean(axis=(3, 4))}


def synthetic_radiographs(count: int = 2, size: int = INPUT_SIZE) -> NDArray[np.float32]:
    """Bright bodies with two dark lungs, always the same: float32 ``[N, 1, size, size]``."""
    rows, columns = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    noise = np.random.RandomState(0).standard_normal((count, size, size)) * 0.03
    images = [0.7 - 0.25 * (columns**2 + rows**2) + noise[index] for index in range(count)]
    for index, image in enumerate(images):
        for side in (-0.42, 0.42):
            inside = ((columns - side) / 0.3) ** 2 + ((rows + 0.1 * index) / 0.7) ** 2 < 1
            image[inside] -= 0.35
    return np.clip(np.stack(images), 0, 1).astype(np.float32)[:, None]


def load_golden(path: Path) -> tuple[NDArray[np.float32], Arrays]:
    """Read a golden file: images and what the original network gave for them.

    Returns
    -------
    The images, float32 ``[N, 1, 512, 512]``, and the outputs in this project's names and order.

    Raises
    ------
    WeightsError
        The file is no golden file.
    """
    try:
        arrays = _load_arrays(path)
        count = len(arrays["images"])
        probabilities = arrays["probabilities"].transpose(0, 2, 1, 3).reshape(count, 6, 4)
        expected = {
            ALIGNMENT: arrays["theta"].reshape(count, 2, 3),
            LUNG_MASK: arrays["mask"].reshape(count, 1, INPUT_SIZE, INPUT_SIZE),
            ZONE_LOGITS: arrays["zone_logits"].reshape(count, 6, 4)[:, NETWORK_ORDER],
            PROBABILITIES: probabilities,
        }
        images = arrays["images"].astype(np.float32).reshape(count, 1, INPUT_SIZE, INPUT_SIZE)
        return images, expected
    except (
        OSError,
        EOFError,
        BadZipFile,
        LookupError,
        AttributeError,
        ValueError,
        TypeError,
    ) as error:
        raise WeightsError(
            f"{path} is not a golden file ({type(error).__name__}: {error}); it must be an .npz "
            "with images, mask, theta, zone_logits and probabilities of the original network"
        ) from error


def _load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Load an ``.npz`` file whose arrays are of a size that golden files have.

    Raises
    ------
    OSError, BadZipFile, ValueError
        It is none; or it, unpacked, is too large.
    """
    with open_regular(path) as file:
        with ZipFile(file) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _LARGEST_GOLDEN:
                raise ValueError(f"unpacked it has more than {_LARGEST_GOLDEN:,} bytes")
            for entry in entries:
                with archive.open(entry) as member:
                    _check_size(member, entry.file_size)
        file.seek(0)
        with np.load(file) as found:
            return {name: found[name] for name in found.files}


def _check_size(member: IO[bytes], size: int) -> None:
    """Refuse an array that declares more elements than its file has bytes for."""
    if np.lib.format.read_magic(member) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    if prod(shape) * dtype.itemsize > size:
        raise ValueError(f"an array declares the shape {shape} and has {size} bytes")


def _error(
    actual: NDArray[np.float32], expected: NDArray[Any], tolerance: float | None
) -> OutputError:
    difference = actual.astype(np.float64) - expected.astype(np.float64)
    norm = float(np.linalg.norm(expected.astype(np.float64)))
    if tolerance is not None and expected.dtype == np.float16:
        tolerance = HALF_TOLERANCE
    largest = float(np.abs(difference).max())
    relative = float(np.linalg.norm(difference)) / norm if norm else largest
    return OutputError(relative, largest, tolerance)
