"""What we show is what DCMTK shows, whatever the transfer syntax, the bits and the transforms.

Differences are in grey levels of 255. DCMTK gives 16 bits, so 0.004 is its rounding. Where readers
differ by more, the reason stands beside the tolerance.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from brixia_edge.runtime.reading.options import ReadingOptions
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from reading_matrix import (
    KINDS,
    SYNTAXES,
    Absent,
    Kind,
    difference,
    native_dataset,
    shown_by_dcmtk,
    written,
)

ROUNDING = 0.005

TOLERANCES = {
    # JPEG leaves the inverse cosine transform's rounding to decoders: one level of 255, which the
    # window then stretches. One of 4095 for 12 bits.
    "JPEG baseline": 1.7,
    "JPEG extended 12": 1.7,
    # So does the irreversible wavelet of JPEG 2000.
    "JPEG 2000 lossy": 1.01,
}

# Every syntax with these; every other kind uncompressed.
WITH_EVERY_SYNTAX = (KINDS[0], KINDS[5], KINDS[6], KINDS[8])

CELLS = [
    *((syntax, kind) for syntax in SYNTAXES for kind in WITH_EVERY_SYNTAX),
    *(("explicit little endian", kind) for kind in KINDS if kind not in WITH_EVERY_SYNTAX),
]

# DCMTK encodes no signed values near-losslessly; near-lossless channels are no longer equal, and
# the two readers round the grey that they make of them in another place.
CELLS.remove(("JPEG-LS near", KINDS[5]))
TOLERANCE_OF_COLOUR = {"JPEG-LS near": 0.51, "JPEG baseline": 1.01, "JPEG extended 12": 1.01}

# For Cb = Cr = 128, PS3.3 C.7.6.3.1.2 gives red = green = blue = Y, as we do; DCMTK's green is off
# by one.
TOLERANCE_OF_YBR = 0.6


def tolerance(syntax: str, kind: Kind) -> float:
    if kind.photometric == "YBR_FULL":
        return TOLERANCE_OF_YBR
    table = TOLERANCE_OF_COLOUR if kind.colour else TOLERANCES
    return table.get(syntax, ROUNDING)


@pytest.mark.parametrize(("syntax", "kind"), CELLS, ids=lambda part: getattr(part, "name", part))
def test_generated_file_is_shown_as_dcmtk_shows_it(syntax: str, kind: Kind) -> None:
    try:
        found = difference(syntax, kind)
    except Absent as reason:
        pytest.skip(str(reason))
    assert found <= tolerance(syntax, kind)


def edited(kind: Kind, **elements: object) -> Dataset:
    dataset = native_dataset(kind)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def table(descriptor: list[int], data: list[int], **elements: object) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if descriptor[1] < 0 else "US", descriptor)
    item.add_new("LUTData", "US", data)
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return Sequence([item])


def values_shifted(bits: int) -> bytes:
    values = np.frombuffer(native_dataset(UNSIGNED).PixelData, "<u2")
    return (values << bits).astype("<u2").tobytes()


def with_overlay() -> bytes:
    values = np.frombuffer(native_dataset(UNSIGNED).PixelData, "<u2")
    return (values | np.uint16(0xA000)).tobytes()


UNSIGNED = Kind("MONOCHROME2", 12)
FULL = Kind("MONOCHROME1", 12, windowed=False)
SIGNED = Kind("MONOCHROME1", 16, signed=True)
CURVE = [round(65535 * (value / 4095) ** 2) for value in range(4096)]

TRANSFORMS: dict[str, tuple[Dataset, float]] = {
    "sigmoid": (edited(UNSIGNED, VOILUTFunction="SIGMOID"), ROUNDING),
    "sigmoid signed": (edited(SIGNED, VOILUTFunction="SIGMOID"), ROUNDING),
    # DCMTK 3.6.7 knows no LINEAR_EXACT and takes LINEAR, half a value and one in width away.
    "linear exact": (edited(UNSIGNED, VOILUTFunction="LINEAR_EXACT"), 0.1),
    # DCMTK rounds what the rescale gives.
    "rescale": (edited(UNSIGNED, RescaleSlope="1.5", RescaleIntercept="-1024"), 0.06),
    "negative rescale": (edited(FULL, RescaleSlope="-1", RescaleIntercept="4095"), ROUNDING),
    "window of width 1": (edited(UNSIGNED, WindowWidth="1"), ROUNDING),
    "several windows": (
        edited(UNSIGNED, WindowCenter=["2300", "1000"], WindowWidth=["2500", "500"]),
        ROUNDING,
    ),
    "VOI LUT": (edited(FULL, VOILUTSequence=table([4096, 0, 16], CURVE)), ROUNDING),
    # DCMTK divides entries of 12 bits by 4096, we by 4095, which is white (PS3.3 C.11.2.1.1).
    "short VOI LUT": (
        edited(FULL, VOILUTSequence=table([1000, 500, 12], list(range(0, 4000, 4)))),
        0.07,
    ),
    "modality LUT": (
        edited(FULL, ModalityLUTSequence=table([4096, 0, 16], CURVE, ModalityLUTType="US")),
        ROUNDING,
    ),
    "bits above BitsStored": (edited(UNSIGNED, PixelData=with_overlay()), ROUNDING),
    "left-justified": (edited(UNSIGNED, PixelData=values_shifted(4), HighBit=15), ROUNDING),
    "shape says the same": (edited(FULL, PresentationLUTShape="INVERSE"), ROUNDING),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transform_is_shown_as_dcmtk_shows_it(name: str, tmp_path: Path) -> None:
    dataset, allowed = TRANSFORMS[name]
    check(written(dataset, tmp_path / "file.dcm"), tmp_path, allowed)


def test_second_window_is_the_one_that_dcmtk_shows(tmp_path: Path) -> None:
    dataset = edited(UNSIGNED, WindowCenter=["2300", "1000"], WindowWidth=["2500", "500"])
    path = written(dataset, tmp_path / "file.dcm")
    check(path, tmp_path, ROUNDING, window=2)


REAL = {
    "fodicom_CR-ModalitySequenceLUT.dcm": ROUNDING,
    "highdicom_dx_image.dcm": ROUNDING,
    "presidio_0_ORIGINAL_RLE.dcm": ROUNDING,
    "pydicomdata_mlut_18.dcm": ROUNDING,
    "pydicomdata_vlut_04.dcm": ROUNDING,
    # A JPEG without a window: the decoders' brightest pixels are 255 and 254, which the stretch
    # over the full range passes on to all others.
    "txrv_rsna_cr.dcm": 2.0,
}


@pytest.mark.parametrize("name", REAL)
def test_real_file_is_shown_as_dcmtk_shows_it(
    name: str, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    check(shared(f"dicom/{name}"), tmp_path, REAL[name])


@pytest.mark.parametrize("name", ["RG1_UNCI.dcm", "RG1_UNCR.dcm", "RG1_J2KI.dcm", "RG1_J2KR.dcm"])
def test_public_chest_is_shown_as_dcmtk_shows_it(name: str, tmp_path: Path) -> None:
    path = get_testdata_file(name, download=False)
    if not isinstance(path, str):
        pytest.skip(f"{name} is in pydicom-data, which is not installed")
    check(Path(path), tmp_path, ROUNDING)


def check(path: Path, folder: Path, allowed: float, window: int | None = None) -> None:
    try:
        expected = shown_by_dcmtk(path, folder, window)
    except Absent as reason:
        pytest.skip(str(reason))
    radiograph = radiograph_from_dicom(path.read_bytes(), ReadingOptions(window))
    assert np.abs(radiograph.pixels - expected).max() * 255 <= allowed
