"""Small files that would grow to gigabytes or take minutes: refused, within little memory."""

import re
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fuzz_bases import bases
from mutations import elements
from pydicom.uid import (
    JPEGBaseline8Bit,
    RLELossless,
)

DicomMaker = Callable[..., bytes]

MEMORY = 800 * 2**20
"""Bytes of address space, of which an idle reader takes 350 MiB."""

SECONDS = 20
"""Processor time; a picture of 100 million pixels alone takes about one."""

PROGRAM = """
import sys
from pathlib import Path
import cv2
from brixia_edge.runtime.errors import BrixiaEdgeError
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.sources.source import prepare_file
# As in the reading process: every thread takes address space, and OpenCV starts one for each core.
cv2.setNumThreads(1)
try:
    prepared = prepare_file(Path(sys.argv[1]), PreprocessSpec("equalize"))
    print("read", prepared.radiograph.rows, "x", prepared.radiograph.columns)
except BrixiaEdgeError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[[bytes], str]:
    """What comes of a file in a process with little memory and time."""

    def read(content: bytes) -> str:
        file = tmp_path / "bomb"
        file.write_bytes(content)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(file)],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=limit,
            env={"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ":".join(sys.path)},
        )
        assert done.returncode == 0, done.stderr[-1000:]
        return done.stdout

    return read


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


Outcome = Callable[[bytes], str]
GREY = (np.arange(64 * 64).reshape(64, 64) % 251).astype(np.uint8)


def jpeg(
    picture: np.ndarray[tuple[int, int], np.dtype[np.uint8]], progressive: bool = False
) -> bytes:
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", picture, flags)[1].tobytes()


def with_size(stream: bytes, rows: int, columns: int) -> bytes:
    """A JPEG stream that declares another size."""
    start = re.search(rb"\xff[\xc0-\xc2]", stream)
    assert start is not None
    place = start.start() + 5
    return stream[:place] + struct.pack(">HH", rows, columns) + stream[place + 4 :]


def with_scans(stream: bytes, count: int) -> bytes:
    """A progressive JPEG stream whose last scan comes again and again."""
    end = stream.rindex(b"\xff\xd9")
    last = stream[stream.rindex(b"\xff\xda") : end]
    return stream[:end] + last * count + stream[end:]


def test_a_deflated_file_is_not_inflated_without_limit(
    outcome: Outcome, make_dicom: DicomMaker
) -> None:
    whole = make_dicom()
    first = next(e.start for e in elements(whole) if whole[e.start : e.start + 2] != b"\x02\x00")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = [packer.compress(whole[first:])]
    packed += [packer.compress(bytes(10_000_000)) for _ in range(40)]
    syntax = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    content = bytes(128) + b"DICM" + syntax + b"".join(packed) + packer.flush()
    assert len(content) < 1_000_000
    assert "ImageTooLarge the deflated DICOM file inflates" in outcome(content)


def test_a_jpeg_of_thousands_of_scans_is_not_decoded(
    outcome: Outcome, make_dicom: DicomMaker
) -> None:
    stream = with_scans(jpeg(np.zeros((4000, 4000), np.uint8), progressive=True), 2000)
    pixels = np.zeros((4000, 4000), np.uint8)
    assert "JPEG image of 2006 scans" in outcome(stream)
    file = make_dicom(pixels, frame=stream, syntax=JPEGBaseline8Bit)
    assert "JPEG image of 2006 scans" in outcome(file)


def test_an_ordinary_progressive_jpeg_is_decoded(outcome: Outcome) -> None:
    assert outcome(jpeg(GREY, progressive=True)) == "read 64 x 64\n"


def test_a_jpeg_too_short_for_its_size_is_not_decoded(
    outcome: Outcome, make_dicom: DicomMaker
) -> None:
    stream = with_size(jpeg(GREY), 10_000, 9_999)
    assert "take 195312 at least" in outcome(stream)
    file = make_dicom(GREY, frame=stream, syntax=JPEGBaseline8Bit, Rows=10_000, Columns=9_999)
    assert "take 195312 at least" in outcome(file)


def test_a_second_frame_header_does_not_change_the_size(
    outcome: Outcome, make_dicom: DicomMaker
) -> None:
    stream = jpeg(GREY)
    start = stream.index(b"\xff\xc0")
    end = start + 2 + int.from_bytes(stream[start + 2 : start + 4], "big")
    second = with_size(stream[start:end], 60_000, 60_000)
    twice = stream[:end] + second + stream[end:]
    assert outcome(twice).startswith("UnreadableImage")
    file = make_dicom(GREY, frame=twice, syntax=JPEGBaseline8Bit)
    assert outcome(file).startswith("UnreadableImage")


def jpeg2000_file(**sizes: int) -> bytes:
    """A DICOM file whose JPEG 2000 stream has other numbers in its SIZ segment."""
    content = next(content for name, content in bases() if name == "JPEG 2000")
    start = content.index(b"\xff\x4f\xff\x51") + 8
    names = ("columns", "rows", "left", "top", "tile_columns", "tile_rows")
    for name, value in sizes.items():
        place = start + 4 * names.index(name)
        content = content[:place] + struct.pack(">I", value) + content[place + 4 :]
    return content


@pytest.mark.parametrize(
    "sizes",
    [
        {"tile_columns": 1, "tile_rows": 1},
        {"tile_columns": 0, "tile_rows": 32},
        {"columns": 0xFFFFFFFF, "rows": 0xFFFFFFFF},
        {"columns": 0xFFFFFFFF, "rows": 0xFFFFFFFF, "left": 0xFFFFFFDF, "top": 0xFFFFFFDF},
    ],
    ids=str,
)
def test_a_jpeg_2000_stream_of_impossible_sizes_is_not_decoded(
    outcome: Outcome, sizes: dict[str, int]
) -> None:
    assert outcome(jpeg2000_file(**sizes)).startswith(("UnreadableImage", "ImageTooLarge"))


def test_the_jpeg_2000_stream_as_it_was_is_decoded(outcome: Outcome) -> None:
    assert outcome(jpeg2000_file()) == "read 32 x 32\n"


def test_rle_segments_too_long_take_no_memory(outcome: Outcome, make_dicom: DicomMaker) -> None:
    header = struct.pack("<16I", 1, 64, *[0] * 14)
    runs = header + b"\x81\x00" * 5_000_000  # 640 MB, if all were decoded
    told = outcome(make_dicom(np.zeros((16, 16), np.uint8), frame=runs, syntax=RLELossless))
    assert told.startswith(("read 16 x 16", "UnreadableImage"))


def test_rle_segments_too_short_take_no_memory(outcome: Outcome, make_dicom: DicomMaker) -> None:
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\x00" * 8
    large = {"Rows": 10_000, "Columns": 10_000}
    told = outcome(make_dicom(np.zeros((2, 2), np.uint8), frame=frame, syntax=RLELossless, **large))
    assert told.startswith("UnreadableImage")


def test_millions_of_elements_are_not_parsed(outcome: Outcome, make_dicom: DicomMaker) -> None:
    whole = make_dicom()
    first = next(e.start for e in elements(whole) if whole[e.start : e.start + 2] == b"\x08\x00")
    tiny = (
        struct.pack("<HH", 9 + 2 * (i >> 16), i & 0xFFFF) + b"US\x02\0\0\0" for i in range(10**6)
    )
    assert "ImageTooLarge the DICOM file has more than 100000 elements" in outcome(
        whole[:first] + b"".join(tiny)
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(rows: int, columns: int, lines: bytes, *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(lines, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + data + chunk(b"IEND", b"")


def test_a_png_that_inflates_beyond_its_size_takes_no_memory(outcome: Outcome) -> None:
    told = outcome(png(16, 16, bytes(400_000_000)))
    assert told.startswith(("read 16 x 16", "UnreadableImage"))


def test_a_png_with_an_inflating_profile_or_text_takes_no_memory(outcome: Outcome) -> None:
    large = zlib.compress(bytes(400_000_000), 9)
    more = [chunk(b"iCCP", b"x\0\0" + large), *[chunk(b"zTXt", b"x\0\0" + large)] * 3]
    assert outcome(png(16, 16, bytes(17 * 16), *more)).startswith(
        ("read 16 x 16", "UnreadableImage")
    )


def test_frames_of_an_animated_png_do_not_change_the_size(outcome: Outcome) -> None:
    control = chunk(b"acTL", struct.pack(">II", 2, 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 60_000, 60_000, 0, 0, 1, 1, 0, 0))
    told = outcome(png(16, 16, bytes(17 * 16), control, frame))
    assert told.startswith(("read 16 x 16", "UnreadableImage"))
