"""Makers of the files that the reading tests need."""

from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.results import ScoredRadiograph
from dicom_sources import UIDS, Stored, source_file
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filereader import read_partial
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

COMPUTED_RADIOGRAPHY = UID("1.2.840.10008.5.1.4.1.1.1")

DicomMaker = Callable[..., bytes]


@pytest.fixture
def make_dicom() -> DicomMaker:
    """Make a DICOM file; see `_make_dicom`."""
    return _make_dicom


@pytest.fixture
def make_lut() -> Callable[..., Sequence]:
    """Make a LUT sequence; see `_make_lut`."""
    return _make_lut


@pytest.fixture
def retagged() -> Callable[..., bytes]:
    """Give one of pydicom's own test files, its tags those of a chest radiograph."""
    return _retagged


def _make_dicom(
    pixels: NDArray[np.generic] | None = None,
    *,
    syntax: str = ExplicitVRLittleEndian,
    preamble: bool = True,
    frame: bytes | None = None,
    without: Iterable[str] = (),
    **elements: object,
) -> bytes:
    """Write a Computed Radiography file.

    `pixels` are the stored values; `frame` replaces them by a compressed stream. `elements`
    overrule what follows from the pixels, `without` removes elements at the end.
    """
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8) if pixels is None else pixels
    dataset = _radiograph_dataset(pixels)
    big = syntax == ExplicitVRBigEndian
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<")).tobytes()
    dataset.PixelData = (
        stored + b"\0" * (len(stored) % 2) if frame is None else encapsulate([frame])
    )
    dataset["PixelData"].VR = "OW" if pixels.itemsize == 2 and frame is None else "OB"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    for keyword in without:
        delattr(dataset, keyword)
    return _write(dataset, syntax, preamble)


def _radiograph_dataset(pixels: NDArray[np.generic]) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = COMPUTED_RADIOGRAPHY
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "CR"
    dataset.PatientName = "SECRET^PERSON"
    dataset.PatientID = "SECRET-17"
    dataset.BodyPartExamined = "CHEST"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = pixels.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    return dataset


def _write(dataset: Dataset, syntax: str, preamble: bool) -> bytes:
    stream = BytesIO()
    if not preamble:
        dataset.save_as(
            stream,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian,
        )
        return stream.getvalue()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", COMPUTED_RADIOGRAPHY)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _make_lut(descriptor: list[int], data: list[int] | bytes) -> Sequence:
    """Make a sequence of one look-up table, `data` as numbers (US) or as bytes (OW)."""
    item = Dataset()
    first_is_signed = descriptor[1] < 0
    item.add_new("LUTDescriptor", "SS" if first_is_signed else "US", descriptor)
    item.add_new("LUTData", "OW" if isinstance(data, bytes) else "US", data)
    return Sequence([item])


def _retagged(name: str, **elements: object) -> bytes:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    dataset = read_partial(BytesIO(Path(path).read_bytes()))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = COMPUTED_RADIOGRAPHY
    dataset.Modality = "CR"
    dataset.BodyPartExamined = "CHEST"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


@pytest.fixture
def scored_dicom(
    make_result: Callable[..., ScoredRadiograph],
    make_radiograph: Callable[..., Radiograph],
    tmp_path: Path,
) -> Callable[..., ScoredRadiograph]:
    """Save a radiograph with a header of `dicom_sources`, and say that it was scored."""

    def score(elements: Mapping[str, Stored] | None = None, **how: Any) -> ScoredRadiograph:
        file = source_file(tmp_path / "chest.dcm", _make_dicom(), elements or {})
        uid = UIDS["SOPInstanceUID"].decode()
        radiograph = make_radiograph(size=(60, 64), form="DICOM", uid=uid)
        return make_result(file, **{"radiograph": radiograph, **how})

    return score
