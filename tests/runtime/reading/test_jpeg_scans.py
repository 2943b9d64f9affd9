"""Scan headers that old modalities fill in carelessly are read as their frame's kind has them."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from brixia_edge.runtime.reading.jpeg_scans import normalised_scans
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame
from pydicom.filereader import read_partial
from pydicom.uid import JPEGBaseline8Bit, JPEGLosslessSV1
from reading_matrix import Absent, run

DicomMaker = Callable[..., bytes]

IMAGE = (np.indices((40, 48)).sum(axis=0) * 2).astype(np.uint8)
BASELINE = cv2.imencode(".jpg", IMAGE)[1].tobytes()
PROGRESSIVE = cv2.imencode(".jpg", IMAGE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()

CARELESS = {
    "end of selection 0": (0, 0, 0),
    "end of selection 255": (0, 255, 0),
    "end of selection 64": (0, 64, 0),
    "start of selection 1": (1, 63, 0),
    "high bits of approximation": (0, 63, 0x10),
    # The decoder takes this one, and shifts every sample.
    "low bits of approximation": (0, 63, 0x01),
    "all of it": (1, 0, 0x21),
}


def with_scan(stream: bytes, parameters: tuple[int, int, int]) -> bytes:
    """The stream, the last three bytes of its only scan header replaced."""
    header = stream.index(b"\xff\xda")
    place = header + 2 + int.from_bytes(stream[header + 2 : header + 4], "big") - 3
    return stream[:place] + bytes(parameters) + stream[place + 3 :]


@pytest.mark.parametrize("parameters", CARELESS.values(), ids=CARELESS)
def test_careless_scan_of_a_baseline_image_shows_what_a_careful_one_does(
    make_dicom: DicomMaker, parameters: tuple[int, int, int]
) -> None:
    careful = make_dicom(IMAGE, syntax=JPEGBaseline8Bit, frame=BASELINE)
    careless = make_dicom(IMAGE, syntax=JPEGBaseline8Bit, frame=with_scan(BASELINE, parameters))
    shown = radiograph_from_dicom(careless)
    np.testing.assert_array_equal(shown.pixels, radiograph_from_dicom(careful).pixels)


@pytest.mark.parametrize("parameters", [(1, 63, 0), (1, 255, 0), (1, 0, 0x10)])
def test_careless_scan_of_a_lossless_image_shows_what_a_careful_one_does(
    make_dicom: DicomMaker, parameters: tuple[int, int, int]
) -> None:
    stream = lossless()
    pixels = np.zeros((1024, 256), np.uint16)
    bits = {"BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0}
    careful = make_dicom(pixels, syntax=JPEGLosslessSV1, frame=stream, **bits)
    careless = make_dicom(
        pixels, syntax=JPEGLosslessSV1, frame=with_scan(stream, parameters), **bits
    )
    shown = radiograph_from_dicom(careless)
    np.testing.assert_array_equal(shown.pixels, radiograph_from_dicom(careful).pixels)


def lossless() -> bytes:
    """The stream of a public lossless JPEG file."""
    path = get_testdata_file("JPEG-LL.dcm", download=False)
    if not isinstance(path, str):
        pytest.skip("JPEG-LL.dcm is in pydicom-data, which is not installed")
    return get_frame(
        read_partial(BytesIO(Path(path).read_bytes())).PixelData, 0, number_of_frames=1
    )


def test_public_12_bit_file_of_a_careless_modality_is_shown_as_dcmtk_shows_it(
    retagged: Callable[..., bytes], tmp_path: Path
) -> None:
    content = retagged("JPEG-lossy.dcm")
    path = tmp_path / "careless.dcm"
    path.write_bytes(content)
    try:
        run(("dcmdjpeg",), path, tmp_path / "plain.dcm")
    except Absent as reason:
        pytest.skip(str(reason))
    plain = radiograph_from_dicom((tmp_path / "plain.dcm").read_bytes())
    # The two decoders round the inverse cosine transform apart by one value.
    difference = radiograph_from_dicom(content).codes.astype(int) - plain.codes
    assert np.abs(difference).max() <= 1


def test_point_transform_and_predictor_of_a_lossless_scan_stay() -> None:
    stream = with_scan(lossless(), (6, 63, 0x12))
    assert normalised_scans(stream) == with_scan(lossless(), (6, 0, 0x02))


@pytest.mark.parametrize(
    "stream", [BASELINE, PROGRESSIVE, b"", b"\xff\xd8\xff\xda", BASELINE[:200], b"\xff\xd8\xff\xf7"]
)
def test_what_leaves_a_choice_or_needs_none_is_not_altered(stream: bytes) -> None:
    assert normalised_scans(stream) is stream
