"""The radiograph that is scored when none is given: generated, and the same everywhere."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from ...runtime.files import digest_file

ROWS, COLUMNS, BITS = 2048, 1760, 12
_STRIP = 64
_UID = "2.25.221137060441234567890123456789012345"
_BODY, _LUNG, _SPINE, _RIB = 3000, 1500, 400, 200
"""Grey levels of 4,096: soft tissue, how much darker lung is, how much brighter bone."""


@dataclass(frozen=True)
class SampleImage:
    """The file that is scored again and again.

    Attributes
    ----------
    path
        Where it lies.
    told
        What it is, in words.
    sha256
        Of its content.
    """

    path: Path
    told: str
    sha256: str


@contextmanager
def sample_image(given: Path | None = None) -> Generator[SampleImage]:
    """The given file, or a generated one that lives as long as the context.

    Raises
    ------
    OSError
        The given file cannot be read.
    """
    if given is not None:
        yield SampleImage(given, "given by --image", digest_file(given))
        return
    with TemporaryDirectory(prefix="brixia-edge-") as folder:
        path = Path(folder) / "generated.dcm"
        write_chest(path)
        told = f"generated CR, {ROWS} x {COLUMNS}, {BITS} of 16 bits, uncompressed"
        yield SampleImage(path, told, digest_file(path))


def write_chest(path: Path) -> None:
    """Write the generated radiograph: Computed Radiography, MONOCHROME2, Explicit VR."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = _UID
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "CR", "CHEST", "AP"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS, BITS - 1
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.add_new("PixelData", "OW", chest_pixels().astype("<u2").tobytes())
    dataset.save_as(path, enforce_file_format=True)


def chest_pixels() -> NDArray[np.uint16]:
    """Grey levels ``[2048, 1760]``, 0 to 4095, that resemble a chest: body, lungs, spine, ribs.

    Whole numbers throughout, so that every machine gives the same file; a strip at a time, so
    that making it takes less memory than scoring it.
    """
    generator = np.random.default_rng(0)
    return np.concatenate([_strip(top, generator) for top in range(0, ROWS, _STRIP)])


def _strip(top: int, generator: np.random.Generator) -> NDArray[np.uint16]:
    rows, columns = np.mgrid[top : top + _STRIP, 0:COLUMNS].astype(np.int64)
    image = _BODY * _ellipse(rows, columns, (1150, 880), (1250, 820)) // 1000
    for centre in (490, 1270):
        lung = _ellipse(rows, columns, (900, centre), (680, 290))
        ribs = np.where((rows + (columns - 880) ** 2 // 2500) % 160 < 40, _RIB, 0)
        image -= (_LUNG - ribs) * lung // 1000
    image += np.where(np.abs(columns - 880) < 70, _SPINE, 0)
    noise = generator.integers(-60, 61, image.shape)
    return np.clip(image + noise, 0, 2**BITS - 1).astype(np.uint16)


def _ellipse(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    centre: tuple[int, int],
    radii: tuple[int, int],
) -> NDArray[np.int64]:
    """Thousandths: 1000 within most of an ellipse, falling to 0 at its border."""
    down = (rows - centre[0]) * 1000 // radii[0]
    across = (columns - centre[1]) * 1000 // radii[1]
    return np.clip(4 * (1000 - (down**2 + across**2) // 1000), 0, 1000)
