"""DICOM files: what they show, what is refused, and that nothing they hold leaks or crashes."""

import logging
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.errors import (
    BrixiaEdgeError,
    ImageTooLarge,
    UnreadableImage,
    UnsupportedImage,
)
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from brixia_edge.runtime.reading.options import ReadingOptions
from brixia_edge.runtime.reading.read import read_radiograph
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.filereader import read_partial
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

DicomMaker = Callable[..., bytes]
LutMaker = Callable[..., Sequence]
Shared = Callable[[str], Path]

RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8)
SIGNED = np.arange(-32, 32, dtype=np.int16).reshape(8, 8)


def pixels_of(content: bytes) -> NDArray[np.float64]:
    return radiograph_from_dicom(content).pixels


def pydicom_file(name: str) -> bytes:
    path = get_testdata_file(name, download=False)
    if not isinstance(path, str):
        pytest.skip(f"{name} is in pydicom-data, which is not installed")
    return Path(path).read_bytes()


# What real files show


def test_lossless_jpeg2000_shows_what_the_uncompressed_file_shows() -> None:
    plain = radiograph_from_dicom(pydicom_file("RG1_UNCR.dcm"))
    packed = radiograph_from_dicom(pydicom_file("RG1_J2KR.dcm"))
    np.testing.assert_array_equal(plain.pixels, packed.pixels)
    assert not plain.warnings


def test_lossy_jpeg2000_shows_what_its_decompressed_copy_shows() -> None:
    plain = pixels_of(pydicom_file("RG1_UNCI.dcm"))
    np.testing.assert_array_equal(plain, pixels_of(pydicom_file("RG1_J2KI.dcm")))


def test_real_monochrome1_file_shows_bone_bright() -> None:
    pixels = pixels_of(pydicom_file("RG1_UNCR.dcm"))
    spine, lung = pixels[900:1100, 880:960], pixels[500:700, 400:600]
    assert spine.mean() > lung.mean() + 0.1


@pytest.mark.parametrize(
    ("name", "dark", "bright"),
    [
        # Rows and columns, as shares, of a piece of lung and of spine or heart, seen by eye.
        ("presidio_0_ORIGINAL_RLE.dcm", (0.45, 0.30), (0.70, 0.48)),
        ("txrv_rsna_cr.dcm", (0.45, 0.25), (0.75, 0.52)),
        ("fodicom_CR-MONO1-10-chest.dcm", (0.45, 0.20), (0.60, 0.42)),
    ],
)
def test_real_chest_has_dark_lungs_and_a_bright_spine(
    shared: Shared, name: str, dark: tuple[float, float], bright: tuple[float, float]
) -> None:
    radiograph = read_radiograph(shared(f"dicom/{name}"))
    small = np.asarray(cv2.resize(radiograph.pixels, (100, 100), interpolation=cv2.INTER_AREA))
    lung, spine = (small[int(100 * row), int(100 * column)] for row, column in (dark, bright))
    assert spine > lung + 0.15
    assert not radiograph.warnings


def test_dental_file_is_read_through_its_modality_lut_and_doubted(shared: Shared) -> None:
    # Its tags say CR and no body part: only the descriptions tell, and those may lie.
    radiograph = read_radiograph(shared("dicom/fodicom_CR-ModalitySequenceLUT.dcm"))
    assert any("Modality LUT of 1024 entries" in step for step in radiograph.steps)
    assert any("mentions TEETH" in warning for warning in radiograph.warnings)


def test_dog_is_doubted_and_presentation_lut_shape_not_applied_twice(shared: Shared) -> None:
    path = shared("dicom/highdicom_dx_image.dcm")
    radiograph = read_radiograph(path)
    stored = read_partial(BytesIO(path.read_bytes())).PixelData[: 169 * 211]
    expected = 1 - np.frombuffer(stored, np.uint8).reshape(169, 211) / 255
    np.testing.assert_allclose(radiograph.pixels, expected, atol=1e-12)
    assert all(word in " ".join(radiograph.warnings) for word in ("CANINE", "LATERAL"))


def test_sample_luts_give_the_ramp_they_were_made_for(shared: Shared) -> None:
    voi = read_radiograph(shared("dicom/pydicomdata_vlut_04.dcm"))
    modality = read_radiograph(shared("dicom/pydicomdata_mlut_18.dcm"))
    # The same test pattern, in 8 bits unsigned and in 12 bits signed.
    assert np.abs(voi.pixels - modality.pixels).max() < 1 / 255


# Transfer syntaxes


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
    ],
)
def test_every_lossless_syntax_shows_the_same(name: str, retagged: Callable[..., bytes]) -> None:
    expected = pixels_of(retagged("MR_small.dcm"))
    np.testing.assert_array_equal(pixels_of(retagged(name)), expected)


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG2000.dcm", "JPEGLSNearLossless_16.dcm"])
def test_lossy_syntax_is_decoded_by_the_pinned_decoder(
    name: str, retagged: Callable[..., bytes]
) -> None:
    content = retagged(name)
    dataset = read_partial(BytesIO(content))
    decoder = cast(Any, get_decoder(UID(dataset.file_meta.TransferSyntaxUID)))
    stored = decoder.as_array(dataset, decoding_plugin="pylibjpeg")[0].astype(float)
    ours = pixels_of(content)
    assert np.corrcoef(stored.ravel(), ours.ravel())[0, 1] > 0.8
    assert ours.shape == stored.shape


def test_jpeg_baseline_is_what_was_encoded(make_dicom: DicomMaker) -> None:
    image = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    stream = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    shown = pixels_of(make_dicom(image, syntax=JPEGBaseline8Bit, frame=stream))
    assert np.abs(shown - image / 255).max() < 0.02


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_big_endian_and_deflated_files_show_the_same(
    make_dicom: DicomMaker, make_lut: LutMaker, syntax: str
) -> None:
    table = make_lut([64, 0, 16], [1000 * index for index in range(64)])
    expected = pixels_of(make_dicom(RAMP, VOILUTSequence=table))
    np.testing.assert_array_equal(
        pixels_of(make_dicom(RAMP, VOILUTSequence=table, syntax=syntax)), expected
    )


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_file_without_preamble_and_meta_is_read(make_dicom: DicomMaker, syntax: str) -> None:
    shown = pixels_of(make_dicom(RAMP, syntax=syntax, preamble=False))
    np.testing.assert_array_equal(shown, RAMP / 63)


# From stored values to pixels, by hand


def test_no_window_takes_the_full_range_present(make_dicom: DicomMaker) -> None:
    np.testing.assert_allclose(pixels_of(make_dicom(RAMP + 100)), RAMP / 63)


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        # PS3.3 C.11.2.1.2.1: ((x - (c - .5)) / (w - 1) + .5), c = 30, w = 21
        ("LINEAR", 30, 0.5 / 20 + 0.5),
        ("LINEAR", 19, 0.0),
        ("LINEAR", 20, 0.025),
        ("LINEAR", 40, 1.0),
        # C.11.2.1.3.2: (x - c) / w + .5
        ("LINEAR_EXACT", 30, 0.5),
        ("LINEAR_EXACT", 40, 10 / 21 + 0.5),
        ("LINEAR_EXACT", 41, 1.0),
        # C.11.2.1.3.1: 1 / (1 + exp(-4 (x - c) / w))
        ("SIGMOID", 30, 0.5),
        ("SIGMOID", 51, 1 / (1 + np.exp(-4))),
        ("GAMMA", 20, 0.025),
    ],
)
def test_window_functions(
    make_dicom: DicomMaker, function: str, value: int, expected: float
) -> None:
    content = make_dicom(RAMP, WindowCenter=30, WindowWidth=21, VOILUTFunction=function)
    assert pixels_of(content).ravel()[value] == pytest.approx(expected)


def test_first_of_several_windows_after_the_rescale(make_dicom: DicomMaker) -> None:
    content = make_dicom(
        RAMP, RescaleSlope=2, RescaleIntercept=-10, WindowCenter=[50, 5], WindowWidth=[41, 9]
    )
    radiograph = radiograph_from_dicom(content)
    # Stored 35 is 60 after the rescale: (60 - 49.5) / 40 + .5
    assert radiograph.pixels.ravel()[35] == pytest.approx(0.7625)
    assert radiograph.steps[1:] == (
        "rescaled: 2 x stored value + -10 (PS3.3 C.11.1.1.2)",
        "window 50 / 41 LINEAR, number 1 of 2 (PS3.3 C.11.2.1.2.1)",
    )


TWO_WINDOWS = {"WindowCenter": [32, 10], "WindowWidth": [64, 5]}


@pytest.mark.parametrize(("number", "window"), [(1, (32, 64)), (2, (10, 5))])
def test_window_of_several_can_be_chosen(
    make_dicom: DicomMaker, make_lut: LutMaker, number: int, window: tuple[int, int]
) -> None:
    lut = make_lut([64, 0, 8], [255] * 32 + [0] * 32)
    content = make_dicom(RAMP, **TWO_WINDOWS, VOILUTSequence=lut)
    alone = make_dicom(RAMP, WindowCenter=window[0], WindowWidth=window[1])
    chosen = radiograph_from_dicom(content, ReadingOptions(window=number))
    np.testing.assert_array_equal(chosen.pixels, pixels_of(alone))
    assert f"window {window[0]} / {window[1]} LINEAR, number {number} of 2" in chosen.steps[1]
    assert "VOI LUT" in radiograph_from_dicom(content).steps[1]


@pytest.mark.parametrize(
    ("centers", "widths"), [([32, 10], 64), (32, [64, 5]), ([32, 10, 7], [64, 5])]
)
def test_first_pair_of_unequal_centers_and_widths_is_used_and_told(
    make_dicom: DicomMaker, centers: object, widths: object
) -> None:
    radiograph = radiograph_from_dicom(make_dicom(RAMP, WindowCenter=centers, WindowWidth=widths))
    alone = make_dicom(RAMP, WindowCenter=32, WindowWidth=64)
    np.testing.assert_array_equal(radiograph.pixels, pixels_of(alone))
    (told,) = radiograph.warnings
    assert told.startswith("WindowCenter has ")
    assert told.endswith("; those that have both were used")


@pytest.mark.parametrize(
    ("elements", "number", "told"),
    [
        ({"WindowCenter": [32, 10], "WindowWidth": 64}, 2, "give 1 windows, and none of number 2"),
        (TWO_WINDOWS, 3, "give 2 windows, and none of number 3; 1 to 2 are allowed"),
        (TWO_WINDOWS, 0, "none of number 0"),
        ({}, 1, "give 0 windows, and none of number 1; leave the choice out"),
    ],
)
def test_window_that_is_not_there_is_refused(
    make_dicom: DicomMaker, elements: dict[str, object], number: int, told: str
) -> None:
    with pytest.raises(UnsupportedImage, match=told):
        radiograph_from_dicom(make_dicom(RAMP, **elements), ReadingOptions(window=number))


def test_window_of_width_1_is_a_step(make_dicom: DicomMaker) -> None:
    shown = pixels_of(make_dicom(RAMP, WindowCenter=30, WindowWidth=1)).ravel()
    assert (shown[29], shown[30]) == (0, 1)


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({"WindowCenter": None, "WindowWidth": None}, ""),
        ({"WindowCenter": None, "WindowWidth": 10}, "WindowCenter has 0 values"),
        ({"WindowCenter": 30, "WindowWidth": 0}, "WindowWidth is 0"),
        ({"WindowCenter": 30, "WindowWidth": -5}, "WindowWidth is -5"),
        ({"WindowCenter": 30, "WindowWidth": 0, "VOILUTFunction": "SIGMOID"}, "WindowWidth is 0"),
        ({"WindowCenter": 9000, "WindowWidth": 10}, "no contrast"),
    ],
)
def test_useless_window_falls_back_to_the_full_range(
    make_dicom: DicomMaker, window: dict[str, object], told: str
) -> None:
    radiograph = radiograph_from_dicom(make_dicom(RAMP, **window))
    np.testing.assert_allclose(radiograph.pixels, RAMP / 63)
    assert told in " ".join(radiograph.warnings)
    assert bool(told) == bool(radiograph.warnings)


def test_monochrome1_is_turned_over_the_window_and_not_its_own_maximum(
    make_dicom: DicomMaker,
) -> None:
    window = {"WindowCenter": 128, "WindowWidth": 256}
    plain = pixels_of(make_dicom(RAMP, **window))
    turned = pixels_of(make_dicom(RAMP, PhotometricInterpretation="MONOCHROME1", **window))
    np.testing.assert_allclose(turned, 1 - plain)
    assert turned.min() == pytest.approx(1 - 63 / 255)


@pytest.mark.parametrize(
    ("photometric", "shape", "doubted"),
    [
        ("MONOCHROME1", "INVERSE", False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME2", "INVERSE", True),
    ],
)
def test_conflict_of_polarity_is_told(
    make_dicom: DicomMaker, photometric: str, shape: str, doubted: bool
) -> None:
    content = make_dicom(RAMP, PhotometricInterpretation=photometric, PresentationLUTShape=shape)
    assert any("PresentationLUTShape" in it for it in radiograph_from_dicom(content).warnings) == (
        doubted
    )


def test_signed_values_and_bits_above_bits_stored(make_dicom: DicomMaker) -> None:
    # 12 bits of two's complement, with an overlay in the four bits above (PS3.5 8.1.1).
    stored = (SIGNED.astype(np.uint16) & 0x0FFF) | 0xA000
    content = make_dicom(stored, BitsStored=12, HighBit=11, PixelRepresentation=1)
    np.testing.assert_allclose(pixels_of(content), (SIGNED + 32) / 63)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("pixels", [RAMP, SIGNED], ids=["unsigned", "signed"])
def test_left_justified_data(
    make_dicom: DicomMaker, pixels: NDArray[np.integer[Any]], syntax: str
) -> None:
    # The lowest bits hold no part of the value (PS3.5 8.1.1): here an overlay.
    overlay = (np.indices((8, 8)).sum(axis=0) % 16).astype(pixels.dtype)
    content = make_dicom(pixels * 16 + overlay, syntax=syntax, BitsStored=12, HighBit=15)
    plain = make_dicom(pixels, syntax=syntax, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(pixels_of(content), pixels_of(plain))
    assert "from bit 4 on" in radiograph_from_dicom(content).steps[0]


def test_left_justified_data_in_run_lengths(make_dicom: DicomMaker) -> None:
    pixels = RAMP * 16 + 5
    encoded = get_encoder(RLELossless).encode(pixels, **_DESCRIBED)
    content = make_dicom(pixels, syntax=RLELossless, frame=encoded, BitsStored=12, HighBit=15)
    np.testing.assert_allclose(pixels_of(content), RAMP / 63)


_DESCRIBED: dict[str, Any] = {
    "rows": 8,
    "columns": 8,
    "samples_per_pixel": 1,
    "bits_allocated": 16,
    "bits_stored": 16,
    "pixel_representation": 0,
    "photometric_interpretation": "MONOCHROME2",
    "number_of_frames": 1,
}


def test_left_justified_data_of_a_codec_that_places_bits_itself_are_refused(
    retagged: Callable[..., bytes],
) -> None:
    content = retagged("JPEG2000.dcm", BitsStored=12, HighBit=15)
    with pytest.raises(UnsupportedImage, match="HighBit is 15 and TransferSyntaxUID JPEG 2000"):
        pixels_of(content)


def test_padding_is_black_and_not_part_of_the_range(make_dicom: DicomMaker) -> None:
    stored = RAMP + 100
    stored[0] = 60_000
    stored[1] = 60_500
    content = make_dicom(
        stored,
        PixelPaddingValue=60_000,
        PixelPaddingRangeLimit=61_000,
        PhotometricInterpretation="MONOCHROME1",
    )
    shown = pixels_of(content)
    assert (shown[:2] == 0).all()
    np.testing.assert_allclose(shown[2:], 1 - (RAMP[2:] - 16) / 47)


def test_negative_padding_written_as_unsigned_is_understood(make_dicom: DicomMaker) -> None:
    stored = SIGNED.copy()
    stored[0] = -2000
    dataset = read_partial(BytesIO(make_dicom(stored)))
    dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
    stream = BytesIO()
    dataset.save_as(stream)
    shown = pixels_of(stream.getvalue())
    assert (shown[0] == 0).all()
    assert shown[7, 7] == 1
    assert shown[1, 0] == 0


def test_padding_written_as_signed_is_understood(make_dicom: DicomMaker) -> None:
    stored = RAMP.copy()
    stored[0] = 65000
    dataset = read_partial(BytesIO(make_dicom(stored)))
    dataset.add_new("PixelPaddingValue", "SS", 65000 - 65536)
    stream = BytesIO()
    dataset.save_as(stream)
    shown = pixels_of(stream.getvalue())
    np.testing.assert_allclose(shown[1:], (RAMP[1:] - 8) / 55)
    assert (shown[0] == 0).all()


def test_image_of_nothing_but_padding_is_shown_all_the_same(make_dicom: DicomMaker) -> None:
    content = make_dicom(RAMP, PixelPaddingValue=0, PixelPaddingRangeLimit=65535)
    np.testing.assert_allclose(pixels_of(content), RAMP / 63)


def test_constant_image_is_black_and_doubted(make_dicom: DicomMaker) -> None:
    radiograph = radiograph_from_dicom(make_dicom(np.full((8, 8), 7, np.uint16)))
    assert not radiograph.pixels.any()
    assert radiograph.warnings == ("every pixel has the same value",)


def test_odd_number_of_bytes(make_dicom: DicomMaker) -> None:
    image = np.arange(35, dtype=np.uint8).reshape(5, 7)
    np.testing.assert_allclose(pixels_of(make_dicom(image)), image / 34)


# Look-up tables


def test_modality_lut_wins_over_rescale(make_dicom: DicomMaker, make_lut: LutMaker) -> None:
    table = make_lut([64, -32, 16], [10 * (63 - index) for index in range(64)])
    content = make_dicom(SIGNED, ModalityLUTSequence=table, RescaleSlope=7, RescaleIntercept=1)
    np.testing.assert_allclose(pixels_of(content), 1 - (SIGNED + 32) / 63)


@pytest.mark.parametrize(
    ("descriptor", "data", "expected"),
    [
        # Inputs below the first entry take it, those above the last take that (C.11.2.1.1).
        ([4, 10, 8], [0, 51, 102, 255], {0: 0.0, 11: 0.2, 12: 0.4, 40: 1.0}),
        # Shorter than declared.
        ([64, 0, 8], [0, 51, 255], {1: 0.2, 2: 1.0, 50: 1.0}),
        # Entries prove the declared 8 bits wrong: 10 are needed.
        ([3, 0, 8], [0, 512, 1023], {1: 512 / 1023, 2: 1.0}),
        # 8-bit entries, two to a word.
        ([4, 0, 8], bytes([0, 51, 102, 255]), {1: 0.2, 3: 1.0}),
        # 16-bit entries as bytes; 0 entries mean 65536.
        ([0, 0, 16], np.arange(65536, dtype="<u2").tobytes(), {13: 13 / 65535}),
        # Impossible number of bits.
        ([2, 0, 99], [0, 255], {1: 1.0}),
    ],
)
def test_voi_lut(
    make_dicom: DicomMaker,
    make_lut: LutMaker,
    descriptor: list[int],
    data: list[int] | bytes,
    expected: dict[int, float],
) -> None:
    table = make_lut(descriptor, data)
    shown = pixels_of(make_dicom(RAMP, VOILUTSequence=table)).ravel()
    assert {index: shown[index] for index in expected} == pytest.approx(expected)


@pytest.mark.parametrize("missing", ["LUTDescriptor", "LUTData"])
@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
def test_lut_that_cannot_be_used_is_left_out_and_told(
    make_dicom: DicomMaker, make_lut: LutMaker, missing: str, sequence: str
) -> None:
    table = make_lut([2, 0, 8], [0, 255])
    delattr(table[0], missing)
    radiograph = radiograph_from_dicom(make_dicom(RAMP, **{sequence: table}))
    np.testing.assert_allclose(radiograph.pixels, RAMP / 63)
    assert radiograph.warnings == (f"{sequence} cannot be used and was left out",)


def test_rescale_slope_of_zero_is_left_out_and_told(make_dicom: DicomMaker) -> None:
    radiograph = radiograph_from_dicom(make_dicom(RAMP, RescaleSlope=0, RescaleIntercept=5))
    np.testing.assert_allclose(radiograph.pixels, RAMP / 63)
    assert radiograph.warnings == ("RescaleSlope is 0 and was left out",)


# Colour


def test_grey_stored_as_colour_is_made_grey(make_dicom: DicomMaker) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    radiograph = radiograph_from_dicom(make_dicom(grey[..., None].repeat(3, axis=2)))
    np.testing.assert_allclose(radiograph.pixels, grey / 255)
    assert "colour channels, grey in truth, made one" in radiograph.steps


def test_grey_jpeg_of_three_components_is_made_grey(make_dicom: DicomMaker) -> None:
    grey = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    colour = grey[..., None].repeat(3, axis=2)
    stream = cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    content = make_dicom(
        colour, syntax=JPEGBaseline8Bit, frame=stream, PhotometricInterpretation="YBR_FULL_422"
    )
    assert np.abs(pixels_of(content) - grey / 255).max() < 0.02


def test_uncompressed_ybr_422_holds_two_bytes_a_pixel(retagged: Callable[..., bytes]) -> None:
    # A colour file: that it is refused for its colour shows that its length was accepted.
    with pytest.raises(UnsupportedImage, match="in colour"):
        pixels_of(retagged("SC_ybr_full_422_uncompressed.dcm"))


def test_colour_is_refused(make_dicom: DicomMaker) -> None:
    colour = np.zeros((8, 8, 3), np.uint8)
    colour[..., 0] = 200
    with pytest.raises(UnsupportedImage, match="100% of its pixels"):
        pixels_of(make_dicom(colour))


# What is refused


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        ({"NumberOfFrames": 2}, "NumberOfFrames is 2"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "FOR PROCESSING"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "FOR PROCESSING"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "SOPClassUID is CT Image Storage"),
        ({"SOPClassUID": "1.2.3.99"}, "not a class brixia-edge knows"),
        ({"Modality": "CT"}, "Modality is CT"),
        ({"BodyPartExamined": "KNEE"}, "BodyPartExamined is KNEE"),
        ({"BodyPartExamined": "HANDS"}, "BodyPartExamined is HAND"),
        ({"PhotometricInterpretation": "ARGB"}, "is ARGB"),
        ({"PhotometricInterpretation": "SECRET"}, "is not a known term"),
        ({"SamplesPerPixel": 2}, "SamplesPerPixel 2"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"}, "SOPClassUID is Enhanced CT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"}, "Multi-frame Grayscale Byte"),
        ({"BitsAllocated": 32}, "BitsAllocated is 32"),
    ],
)
def test_what_is_no_chest_radiograph_is_refused_with_its_reason(
    make_dicom: DicomMaker, elements: dict[str, object], told: str
) -> None:
    with pytest.raises(UnsupportedImage, match=told):
        pixels_of(make_dicom(RAMP, **elements))


def test_file_without_pixels_is_refused(make_dicom: DicomMaker) -> None:
    with pytest.raises(UnsupportedImage, match="PixelData is missing"):
        pixels_of(make_dicom(without=["PixelData"]))


def test_transfer_syntax_of_films_is_refused(make_dicom: DicomMaker) -> None:
    content = make_dicom(syntax="1.2.840.10008.1.2.4.100", frame=b"\0" * 10)
    with pytest.raises(UnsupportedImage, match="TransferSyntaxUID is MPEG2"):
        pixels_of(content)


@pytest.mark.parametrize(
    "keyword", ["Rows", "Columns", "BitsAllocated", "BitsStored", "PhotometricInterpretation"]
)
def test_missing_element_is_named(make_dicom: DicomMaker, keyword: str) -> None:
    with pytest.raises(UnreadableImage, match=f"{keyword} is missing"):
        pixels_of(make_dicom(without=[keyword]))


def test_optional_elements_may_be_missing(make_dicom: DicomMaker) -> None:
    without = ["SamplesPerPixel", "PixelRepresentation", "HighBit", "SOPClassUID", "Modality"]
    np.testing.assert_allclose(pixels_of(make_dicom(RAMP, without=without)), RAMP / 63)


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        ({"BitsStored": 17, "HighBit": 16}, "BitsStored is 17"),
        ({"HighBit": 11}, "HighBit is 11; BitsStored - 1, which is 15"),
        ({"BitsStored": 12, "HighBit": 16}, "HighBit is 16; .* 11, to BitsAllocated - 1, .* 15"),
        ({"BitsStored": 0}, "BitsStored is 0"),
        ({"Rows": 0}, "0 rows"),
        ({"Rows": 9}, "PixelData holds 128 bytes; .* declare 144"),
    ],
)
def test_impossible_element_is_told(
    make_dicom: DicomMaker, elements: dict[str, object], told: str
) -> None:
    with pytest.raises(UnreadableImage, match=told):
        pixels_of(make_dicom(RAMP, **elements))


def test_fraction_of_a_row_is_told(make_dicom: DicomMaker) -> None:
    dataset = read_partial(BytesIO(make_dicom()))
    dataset.add_new("Rows", "DS", "8.5")
    stream = BytesIO()
    dataset.save_as(stream)
    with pytest.raises(UnreadableImage, match=r"Rows is 8\.5; a whole number"):
        pixels_of(stream.getvalue())


def test_panic_of_the_rle_decoder_is_told(retagged: Callable[..., bytes]) -> None:
    dataset = read_partial(BytesIO(retagged("MR_small_RLE.dcm")))
    dataset.Rows = 32
    stream = BytesIO()
    dataset.save_as(stream)
    with pytest.raises(UnreadableImage, match=r"PixelData .* cannot be read"):
        pixels_of(stream.getvalue())


def test_absurd_size_is_refused_before_decoding(make_dicom: DicomMaker) -> None:
    with pytest.raises(ImageTooLarge, match="65535 rows x 65535 columns"):
        pixels_of(make_dicom(Rows=65535, Columns=65535))


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, "1.2.840.10008.1.2.4.90"])
def test_compressed_stream_larger_than_its_header_is_refused(
    make_dicom: DicomMaker, syntax: str
) -> None:
    suffix = ".jpg" if syntax == JPEGBaseline8Bit else ".jp2"
    stream = cv2.imencode(suffix, np.zeros((64, 32), np.uint8))[1].tobytes()
    image = np.zeros((8, 8), np.uint8)
    with pytest.raises(UnreadableImage, match="64 x 32; Rows x Columns is 8 x 8"):
        pixels_of(make_dicom(image, syntax=syntax, frame=stream))


def test_jp2_box_of_no_length_does_not_hang(make_dicom: DicomMaker) -> None:
    image = np.tile(RAMP.astype(np.uint8), (8, 8))
    stream = cv2.imencode(".jp2", image, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])[1]
    boxed = stream.tobytes()
    assert boxed[16:20] == b"ftyp"
    unending = boxed[:12] + b"\0\0\0\0" + boxed[16:]
    content = make_dicom(image, syntax="1.2.840.10008.1.2.4.90", frame=unending)
    assert np.abs(pixels_of(content) - image / 63).max() < 0.02


def test_deflate_bomb_is_refused(make_dicom: DicomMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brixia_edge.runtime.reading.dicom.file._MAXIMUM_INFLATED", 10_000)
    content = make_dicom(np.zeros((100, 100), np.uint16), syntax=DeflatedExplicitVRLittleEndian)
    assert len(content) < 5_000
    with pytest.raises(ImageTooLarge, match="inflates to more than 10000 bytes"):
        pixels_of(content)


@pytest.mark.parametrize("magic", [b"MZ", b"\x7fELF"])
def test_executable_preamble_is_refused(make_dicom: DicomMaker, magic: bytes) -> None:
    content = make_dicom()
    with pytest.raises(UnreadableImage, match="executable"):
        pixels_of(magic + content[len(magic) :])


@pytest.mark.parametrize(
    "content",
    [
        b"\x08\x00" + b"no dataset at all" * 10,
        b"%PDF-1.4 something",
        b"\0" * 128 + b"DICM",
        b"\x02\x00",
    ],
)
def test_what_is_no_dataset_is_told(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match=r"not a DICOM|cannot be read"):
        pixels_of(content)


def test_file_cut_off_in_its_pixels_is_told(shared: Shared) -> None:
    content = shared("dicom/presidio_0_ORIGINAL_RLE.dcm").read_bytes()
    with pytest.raises(UnreadableImage, match=r"cut off|cannot be read"):
        pixels_of(content[: len(content) // 2])


# What is doubted


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        ({"ViewPosition": "LL"}, "ViewPosition is LL, a left lateral view"),
        ({"ViewPosition": "RLO"}, "an oblique view"),
        ({"PatientOrientation": ["A", "F"]}, "PatientOrientation says lateral view"),
        ({"BodyPartExamined": "SECRET"}, "BodyPartExamined does not say chest"),
        ({"Modality": "RF"}, "Modality is none of CR and DX"),
        ({"SeriesDescription": "LATERAL"}, "mentions LATERAL"),
        (
            {"PixelAspectRatio": [1, 2]},
            "PixelAspectRatio says that pixels are not square (2.00 to 1)",
        ),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, "ImagerPixelSpacing says"),
    ],
)
def test_doubt_is_told_but_does_not_refuse(
    make_dicom: DicomMaker, elements: dict[str, object], told: str
) -> None:
    radiograph = radiograph_from_dicom(make_dicom(RAMP, **elements))
    assert len(radiograph.warnings) == 1
    assert told in radiograph.warnings[0]


@pytest.mark.parametrize(
    "elements",
    [
        {"ViewPosition": "AP", "StudyDescription": "XR CHEST AP PORTABLE"},
        {"StudyDescription": "CHEST PA AND LATERAL", "PatientOrientation": ["L", "F"]},
        {"StudyDescription": "CHEST ABDOMEN", "BodyPartExamined": ""},
        {"BodyPartExamined": "CHEST_ABDOMEN", "PixelSpacing": [0.14, 0.14]},
    ],
)
def test_ordinary_chest_is_not_doubted(make_dicom: DicomMaker, elements: dict[str, object]) -> None:
    assert not radiograph_from_dicom(make_dicom(RAMP, **elements)).warnings


# Identity and robustness


@pytest.mark.parametrize(("uid", "given"), [("1.2.3", "1.2.3"), ("../etc/passwd", None)])
def test_sop_instance_uid_is_given_only_if_it_is_one(
    make_dicom: DicomMaker, uid: str, given: str | None
) -> None:
    dataset = read_partial(BytesIO(make_dicom()))
    stream = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.add_new("SOPInstanceUID", "UI", uid)
        dataset.save_as(stream)
    assert radiograph_from_dicom(stream.getvalue()).sop_instance_uid == given


def test_no_patient_data_in_errors_logs_or_warnings(
    make_dicom: DicomMaker, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    content = make_dicom(WindowCenter=10, WindowWidth=10)
    told: list[str] = []
    for old, new in (
        (b"10", b"SE"),
        (b"MONOCHROME2 ", b"SECRET      "),
        (b"CR", b"S\xff"),
        (b"1.2.3.4", b"SECRET7"),
    ):
        try:
            radiograph = radiograph_from_dicom(content.replace(old, new))
            told += radiograph.warnings + radiograph.steps
        except BrixiaEdgeError as error:
            told.append(f"{error} {error.__cause__}")
    captured = capfd.readouterr()
    assert "SECRET" not in "".join(told)
    assert captured.out + captured.err == ""
    assert not list(recwarn)


def test_silence_ends_with_the_last_of_several_threads(
    make_dicom: DicomMaker, caplog: pytest.LogCaptureFixture
) -> None:
    content = make_dicom()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(radiograph_from_dicom, [content] * 40))
    logging.getLogger("pydicom").warning("heard again")
    assert "heard again" in caplog.text


def small_files(make_dicom: DicomMaker, make_lut: LutMaker) -> list[bytes]:
    table = make_lut([4, 0, 8], [0, 80, 160, 255])
    image = np.tile(RAMP.astype(np.uint8), (8, 8))
    stream = cv2.imencode(".jpg", image)[1].tobytes()
    jpeg2000 = cv2.imencode(".jp2", image)[1].tobytes()
    return [
        make_dicom(RAMP, WindowCenter=30, WindowWidth=20, VOILUTSequence=table),
        make_dicom(RAMP, ModalityLUTSequence=table, syntax=ImplicitVRLittleEndian),
        make_dicom(RAMP, preamble=False, syntax=ExplicitVRBigEndian),
        make_dicom(RAMP, syntax=DeflatedExplicitVRLittleEndian),
        make_dicom(image, syntax=JPEGBaseline8Bit, frame=stream),
        make_dicom(image, syntax="1.2.840.10008.1.2.4.90", frame=jpeg2000),
    ]


def test_no_truncation_or_flip_gives_another_error_than_ours(
    make_dicom: DicomMaker, make_lut: LutMaker
) -> None:
    random = np.random.default_rng(11)
    for content in small_files(make_dicom, make_lut):
        for position in random.integers(0, len(content), 100).tolist():
            flipped = bytearray(content)
            flipped[position] ^= int(random.integers(1, 256))
            for mutated in (bytes(flipped), content[:position]):
                with suppress(BrixiaEdgeError):
                    shown = radiograph_from_dicom(mutated).pixels
                    assert 0 <= shown.min() <= shown.max() <= 1


SECONDARY_CAPTURE = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}
DERIVED = {"ImageType": ["DERIVED", "SECONDARY"]}


@pytest.mark.parametrize(
    "elements",
    [
        SECONDARY_CAPTURE | {"BurnedInAnnotation": "YES"},
        SECONDARY_CAPTURE | DERIVED | {"ConversionType": "WSD"},
        SECONDARY_CAPTURE | DERIVED | {"ConversionType": "SYN"},
        DERIVED | {"BurnedInAnnotation": "YES"},
    ],
)
def test_picture_of_another_software_s_result_is_doubted(
    make_dicom: DicomMaker, elements: dict[str, object]
) -> None:
    (told,) = radiograph_from_dicom(make_dicom(RAMP, **elements)).warnings
    assert "the image may be a picture of another software's result" in told


@pytest.mark.parametrize(
    "elements",
    [
        SECONDARY_CAPTURE | {"ConversionType": "WSD"},
        SECONDARY_CAPTURE | DERIVED | {"ConversionType": "DF"},
        {"BurnedInAnnotation": "YES"},
        DERIVED,
        {"Manufacturer": "Edge Radiology", "SeriesDescription": "BRIXIA STUDY CHEST AP"},
    ],
)
def test_captured_radiograph_is_not_doubted(
    make_dicom: DicomMaker, elements: dict[str, object]
) -> None:
    assert not radiograph_from_dicom(make_dicom(RAMP, **elements)).warnings
