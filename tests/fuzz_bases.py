"""Small whole files of every kind that is read: what the fuzz tests mutate."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filereader import read_partial
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

IDENTITY = ("SECRETNAME", "SECRETID", "19010203", "SECRETPLACE")
"""What the files tell about a patient who does not exist, and nobody may tell further."""

_REAL = (
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_bigendian.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "SC_rgb_rle.dcm",
    "JPGExtended.dcm",
)
"""Files that pydicom ships, and so is their compression: nothing here compresses like that."""


def bases() -> list[tuple[str, bytes]]:
    """Name and content of each file."""
    return [*_uncompressed(), *_compressed(), *_real(), *_pictures()]


def _ramp(dtype: type[np.generic] = np.uint16, size: int = 16) -> NDArray[Any]:
    return (np.arange(size * size).reshape(size, size) * 13 % 251).astype(dtype)


def _dataset(pixels: NDArray[Any], **more: object) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1")
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "CR"
    _identify(dataset)
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = pixels.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    return dataset


def _identify(dataset: Dataset) -> None:
    name, number, date, place = IDENTITY
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = f"{name}^A", number, date
    dataset.InstitutionName, dataset.OperatorsName = place, name
    dataset.StudyDescription, dataset.ImageComments = f"CHEST {name}", f"{name} {number}"
    dataset.StudyDate, dataset.AccessionNumber = date, number


def _file(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _table(first: int) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [64, first, 12])
    item.add_new("LUTData", "US", list(range(0, 4096, 64)))
    item.LUTExplanation = IDENTITY[0]
    return Sequence([item])


def _uncompressed() -> Iterator[tuple[str, bytes]]:
    window = {"WindowCenter": [100, 50], "WindowWidth": [200, 20], "VOILUTFunction": "SIGMOID"}
    yield "window", _file(_dataset(_ramp(), **window), ExplicitVRLittleEndian)
    yield (
        "implicit",
        _file(_dataset(_ramp(), RescaleSlope=2, RescaleIntercept=-9), ImplicitVRLittleEndian),
    )
    big = _dataset(_ramp().byteswap(), PixelPaddingValue=3, PixelPaddingRangeLimit=9)
    yield "big endian", _file(big, ExplicitVRBigEndian)
    yield "deflated", _file(_dataset(_ramp(np.uint8)), DeflatedExplicitVRLittleEndian)
    signed = _dataset(_ramp(np.int16) - np.int16(90), ModalityLUTSequence=_table(-90))
    yield "modality LUT", _file(signed, ExplicitVRLittleEndian)
    voi = _dataset(_ramp(), VOILUTSequence=_table(0), PhotometricInterpretation="MONOCHROME1")
    yield "VOI LUT", _file(voi, ExplicitVRLittleEndian)
    bits = {"BitsStored": 12, "HighBit": 11, "ShutterShape": ["CIRCULAR", "POLYGONAL"]}
    shutter = {
        "CenterOfCircularShutter": [8, 8],
        "RadiusOfCircularShutter": 6,
        "VerticesOfThePolygonalShutter": [1, 1, 1, 12, 12, 6],
    }
    yield "shutters", _file(_dataset(_ramp(), **bits, **shutter), ExplicitVRLittleEndian)
    colours = np.repeat(_ramp(np.uint8)[:, :, None], 3, axis=2)
    yield "colour", _file(_dataset(colours), ExplicitVRLittleEndian)
    palette = _dataset(_ramp(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        palette.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        table = np.arange(0, 65536, 256, dtype=np.uint16).tobytes()
        palette.add_new(f"{colour}PaletteColorLookupTableData", "OW", table)
    yield "palette", _file(palette, ExplicitVRLittleEndian)
    bare = BytesIO()
    _dataset(_ramp()).save_as(bare, implicit_vr=True, little_endian=True)
    yield "bare", bare.getvalue()


def _compressed() -> Iterator[tuple[str, bytes]]:
    for name, syntax in (("RLE", RLELossless), ("JPEG 2000", JPEG2000Lossless)):
        dataset = _dataset(_ramp(size=32))
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax, generate_instance_uid=False)
        yield name, _file(dataset, syntax)
    for name, flags in (("JPEG", ()), ("progressive JPEG", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))):
        stream = _encoded(".jpg", _ramp(np.uint8, 32), *flags)
        dataset = _dataset(_ramp(np.uint8, 32))
        dataset.PixelData = encapsulate([stream])
        dataset["PixelData"].is_undefined_length = True
        yield name, _file(dataset, JPEGBaseline8Bit)


def _real() -> Iterator[tuple[str, bytes]]:
    for name in _REAL:
        path = get_testdata_file(name, download=False)
        assert isinstance(path, str), f"pydicom no longer ships {name}"
        dataset = read_partial(BytesIO(Path(path).read_bytes()))
        syntax = dataset.file_meta.TransferSyntaxUID
        dataset.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.1")
        dataset.Modality = "CR"
        _identify(dataset)
        yield name, _file(dataset, syntax)


def _pictures() -> Iterator[tuple[str, bytes]]:
    grey = _ramp(np.uint8, 24)
    colours = np.repeat(grey[:, :, None], 3, axis=2)
    yield "grey.png", _encoded(".png", grey)
    yield "deep.png", _encoded(".png", grey.astype(np.uint16) * 255)
    yield "colour.png", _encoded(".png", colours)
    yield "two.png", _encoded(".png", grey, cv2.IMWRITE_PNG_BILEVEL, 1)
    yield "grey.jpg", _encoded(".jpg", grey)
    yield "colour.jpg", _encoded(".jpg", colours)
    yield "progressive.jpg", _encoded(".jpg", grey, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


def _encoded(suffix: str, picture: NDArray[Any], *flags: int) -> bytes:
    return cv2.imencode(suffix, picture, flags)[1].tobytes()
