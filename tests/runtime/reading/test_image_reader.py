"""PNG and JPEG files: grey as the original decoded them, and each way of being bad."""

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.errors import (
    BrixiaEdgeError,
    ImageTooLarge,
    UnreadableImage,
    UnsupportedImage,
)
from brixia_edge.runtime.reading.image_reader import radiograph_from_image
from brixia_edge.runtime.reading.read import read_radiograph
from numpy.typing import NDArray

RAMP = np.linspace(0, 255, 60 * 80).reshape(60, 80).astype(np.uint8)


def encode(suffix: str, image: NDArray[np.integer], *options: int) -> bytes:
    return cv2.imencode(suffix, image, list(options))[1].tobytes()


def coloured(share: float) -> NDArray[np.uint8]:
    """A grey ramp whose upper `share` is red."""
    image = np.repeat(np.repeat(RAMP, 8, axis=0), 8, axis=1)[..., None].repeat(3, axis=2)
    image[: round(share * image.shape[0])] = (0, 0, 200)
    return image


def png_header(columns: int, rows: int, bits: int = 8, colour_type: int = 0) -> bytes:
    """A PNG file of a header and nothing else, its checksums right."""
    header = b"IHDR" + struct.pack(">IIBBBBB", columns, rows, bits, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(header) + chunk(b"IEND")


def chunk(body: bytes) -> bytes:
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def test_real_images_are_grey_as_the_original_read_them(shared: Callable[[str], Path]) -> None:
    for path in sorted(shared("cohen/images").iterdir())[::2]:
        pixels = read_radiograph(path).pixels
        original = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert original is not None
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        # One of the 138 has 16 bits, which the original rounded to 8.
        tolerance = 0.5 / 255 if stored.dtype == np.uint16 else 0
        assert np.abs(pixels - original / 255).max() <= tolerance, path


def test_8_bit_png_is_divided_by_255() -> None:
    radiograph = radiograph_from_image(encode(".png", RAMP))
    assert radiograph.format == "PNG"
    assert radiograph.pixels.dtype == np.float64
    np.testing.assert_array_equal(radiograph.pixels, RAMP / 255)


def test_16_bit_png_keeps_its_16_bits() -> None:
    ramp = np.arange(60 * 80, dtype=np.uint16).reshape(60, 80) * 13
    radiograph = radiograph_from_image(encode(".png", ramp))
    np.testing.assert_array_equal(radiograph.pixels, ramp / 65535)


def test_bilevel_png_is_black_and_white() -> None:
    image = (RAMP > 100).astype(np.uint8)
    content = encode(".png", image * 255, cv2.IMWRITE_PNG_BILEVEL, 1)
    np.testing.assert_array_equal(radiograph_from_image(content).pixels, image)


def test_jpeg_is_read_and_named() -> None:
    radiograph = radiograph_from_image(encode(".jpg", RAMP, cv2.IMWRITE_JPEG_QUALITY, 95))
    assert radiograph.format == "JPEG"
    assert np.abs(radiograph.pixels - RAMP / 255).max() < 0.05
    assert radiograph.steps == ("decoded as 8-bit grey", "divided by 255")


def test_annotations_in_colour_are_allowed() -> None:
    assert radiograph_from_image(encode(".jpg", coloured(0.03))).pixels.shape == (480, 640)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_colour_image_is_refused_with_its_share(suffix: str, share: float) -> None:
    with pytest.raises(UnsupportedImage, match=rf"{round(share * 100)}% of its pixels"):
        radiograph_from_image(encode(suffix, coloured(share)))


def test_declared_size_is_refused_before_decoding() -> None:
    with pytest.raises(ImageTooLarge, match="60000 rows x 70000 columns"):
        radiograph_from_image(png_header(70_000, 60_000))


def test_jpeg_of_absurd_size_is_refused_before_decoding() -> None:
    content = bytearray(encode(".jpg", RAMP))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 65_535, 65_535)
    with pytest.raises(ImageTooLarge, match="65535 rows"):
        radiograph_from_image(bytes(content))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (png_header(0, 5), "0 columns"),
        (png_header(5, 5, colour_type=9), "colour type 9"),
        (png_header(5, 5, bits=7), "7 bits a sample"),
        (png_header(5, 5), "cannot be decoded"),
        # Beyond OpenCV's own limit of columns.
        (png_header(2_000_000, 1), "cannot be decoded"),
        (png_header(5, 5)[:20], "cut off in its header"),
        (b"\xff\xd8\xff\xd9", "without a frame header"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "without a frame header"),
    ],
)
def test_broken_header_is_told(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableImage, match=told):
        radiograph_from_image(content)


def test_12_bit_jpeg_is_refused_with_its_bits() -> None:
    content = bytearray(encode(".jpg", RAMP))
    content[content.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(UnreadableImage, match="JPEG file of 12 bits"):
        radiograph_from_image(bytes(content))


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.999])
def test_truncated_jpeg_is_not_filled_with_grey(kept: float, progressive: int) -> None:
    content = encode(".jpg", coloured(0), cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    with pytest.raises(UnreadableImage, match="JPEG file"):
        radiograph_from_image(content[: int(kept * len(content))])


def test_jpeg_with_a_damaged_stretch_is_marked(capfd: pytest.CaptureFixture[str]) -> None:
    # Neither an error of OpenCV nor a picture to be trusted: libjpeg fills in and goes on.
    content = bytearray(encode(".jpg", coloured(0), cv2.IMWRITE_JPEG_QUALITY, 95))
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    (warning,) = radiograph_from_image(bytes(content)).warnings
    assert "Corrupt JPEG data" in warning
    assert capfd.readouterr().err == ""


def test_what_libpng_remarks_stays_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnreadableImage, match="cannot be decoded"):
        radiograph_from_image(png_header(5, 5))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.999])
def test_truncated_png_is_not_filled_with_grey(kept: float) -> None:
    content = encode(".png", RAMP)
    with pytest.raises(UnreadableImage, match="truncated at"):
        radiograph_from_image(content[: int(kept * len(content))])


def test_flipped_bit_in_png_pixels_is_found() -> None:
    content = bytearray(encode(".png", RAMP))
    content[content.index(b"IDAT") + 40] ^= 1
    with pytest.raises(UnreadableImage, match="wrong checksum"):
        radiograph_from_image(bytes(content))


def test_bytes_after_the_end_and_thumbnails_do_not_mislead() -> None:
    content = encode(".jpg", RAMP)
    thumbnail = b"\xff\xe1\x00\x08\xff\xd8\xff\xd9\x00\x00"
    # FF 01 is a marker without a length, and FF may be repeated before a marker.
    whole = content[:2] + thumbnail + b"\xff\x01\xff" + content[2:] + b"stitch"
    np.testing.assert_array_equal(
        radiograph_from_image(whole).pixels, radiograph_from_image(content).pixels
    )
    with pytest.raises(UnreadableImage, match="truncated"):
        radiograph_from_image((content[:2] + thumbnail + content[2:])[:-2])


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_no_mutation_gives_another_error_than_ours(suffix: str) -> None:
    content = encode(suffix, coloured(0.02)[::4, ::4])
    random = np.random.default_rng(5)
    for position in random.integers(8, len(content), 200).tolist():
        mutated = bytearray(content)
        mutated[position] ^= int(random.integers(1, 256))
        with suppress(BrixiaEdgeError):
            radiograph_from_image(bytes(mutated))


def test_suffix_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "radiograph.dcm"
    path.write_bytes(encode(".png", RAMP))
    assert read_radiograph(path).format == "PNG"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "0 bytes"),
        (b"hello, I am a text", "not a DICOM, PNG or JPEG"),
        (b"\x89PNG", "not a DICOM"),
    ],
)
def test_file_that_is_no_image_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match=told):
        read_radiograph(path)


def test_a_file_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.png"
    path.write_bytes(encode(".png", RAMP))
    monkeypatch.setattr("brixia_edge.runtime.reading.read.MAXIMUM_BYTES", 100)
    with pytest.raises(ImageTooLarge, match="longer than 100 bytes"):
        read_radiograph(path)


def test_directory_and_absent_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="is a directory"):
        read_radiograph(tmp_path)
    with pytest.raises(UnreadableImage, match="No such file"):
        read_radiograph(tmp_path / "absent.png")
