"""Pixel Data becomes stored values: PS3.3 C.7.6.3, PS3.5 clause 8.

Compressed data are decoded by pylibjpeg and no other library that pydicom may find: two JPEG
decoders differ by one grey level, and a score must not depend on what else is installed.
"""

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from ...errors import UnreadableImage, UnsupportedImage
from ..colour import coloured_share, refuse_coloured
from ..decoder_remarks import decoder_remarks
from ..image_headers import JPEG2000_START, DeclaredImage, read_jpeg2000_header, read_jpeg_header
from ..jpeg_scans import normalised_scans
from ..limits import check_size
from .file import DicomFile
from .header import Header, refusing_damage

PALETTE = "PALETTE COLOR"
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_DECODER = "pylibjpeg"
_BYTE = 8


@dataclass(frozen=True)
class Layout:
    """How pixels are stored (PS3.3 C.7.6.3.1).

    Attributes
    ----------
    rows, columns
        In pixels.
    samples
        Per pixel: 1 for grey, 3 for colour.
    bits_allocated, bits_stored
        Bits that a sample takes, and those of them that hold its value.
    low_bit
        The lowest bit that holds it; 0 but for left-justified data.
    signed
        Whether the value is in two's complement.
    photometric
        PhotometricInterpretation.
    """

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    low_bit: int
    signed: bool
    photometric: str


StoredCodes = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class StoredPixels:
    """The decoded pixels.

    Attributes
    ----------
    codes
        uint8 or uint16, as BitsAllocated, ``[rows, columns]``, 0 to ``2**bits_stored - 1``: the
        stored bits as an index.
        A signed value v has the code ``v mod 2**bits_stored``.
    layout
        How they were stored.
    from_colour
        True when three equal channels were made one.
    steps
        What was done, one sentence each.
    """

    codes: StoredCodes
    layout: Layout
    from_colour: bool
    steps: tuple[str, ...]


def read_layout(header: Header) -> Layout:
    """Read and check the elements that describe Pixel Data.

    Raises
    ------
    UnreadableImage
        An element is missing or impossible.
    UnsupportedImage
        Another photometric interpretation or an unusual number of bits.
    ImageTooLarge
        There are more than `MAXIMUM_PIXELS`.
    """
    bits_stored = header.required("BitsStored")
    high_bit = header.integer("HighBit")
    layout = Layout(
        rows=header.required("Rows"),
        columns=header.required("Columns"),
        samples=header.integer("SamplesPerPixel") or 1,
        bits_allocated=header.required("BitsAllocated"),
        bits_stored=bits_stored,
        low_bit=0 if high_bit is None else high_bit + 1 - bits_stored,
        signed=header.integer("PixelRepresentation") == 1,
        photometric=header.text("PhotometricInterpretation"),
    )
    check_size(layout.rows, layout.columns)
    _check_bits(layout)
    _check_photometric(layout)
    return layout


def read_pixels(file: DicomFile, layout: Layout) -> StoredPixels:
    """Decode Pixel Data to stored values, colour made grey where it is grey in truth.

    Raises
    ------
    UnreadableImage
        The data are cut off, damaged, or of another size than the header declares.
    UnsupportedImage
        A transfer syntax that holds no single images, left-justified data in a codec that does
        not tell them, or a colour image.
    """
    syntax = UID(file.transfer_syntax)
    array = _decode(file, syntax, layout)
    if layout.low_bit:
        array = array >> layout.low_bit
    steps = (_told(layout, syntax),)
    if array.ndim == 3:
        array = _grey_from_colour(array, layout)
        steps += ("colour channels, grey in truth, made one",)
    # Bits above BitsStored may hold overlays (PS3.5 8.1.1) or the sign; neither is part of a code.
    kind = np.uint8 if layout.bits_allocated == _BYTE else np.uint16
    codes = array.astype(kind, copy=False) & kind(2**layout.bits_stored - 1)
    return StoredPixels(codes, layout, layout.samples == 3, steps)


def _told(layout: Layout, syntax: UID) -> str:
    bits = f"{layout.bits_stored} of {layout.bits_allocated} bits"
    justified = f", from bit {layout.low_bit} on" if layout.low_bit else ""
    sign = "signed" if layout.signed else "unsigned"
    return f"decoded {syntax.name}: {bits}{justified}, {sign}, {layout.photometric}"


def _check_bits(layout: Layout) -> None:
    if layout.bits_allocated not in (8, 16):
        raise UnsupportedImage(
            f"BitsAllocated is {layout.bits_allocated}; 8 and 16 are allowed. "
            "Export the image with 16 bits"
        )
    if not 1 <= layout.bits_stored <= layout.bits_allocated:
        raise UnreadableImage(
            f"BitsStored is {layout.bits_stored}; 1 to BitsAllocated, which is "
            f"{layout.bits_allocated}, are possible. Export the image again from its source"
        )
    if not 0 <= layout.low_bit <= layout.bits_allocated - layout.bits_stored:
        raise UnreadableImage(
            f"HighBit is {layout.low_bit + layout.bits_stored - 1}; BitsStored - 1, which is "
            f"{layout.bits_stored - 1}, to BitsAllocated - 1, which is "
            f"{layout.bits_allocated - 1}, are possible. Export the image again from its source"
        )


def _check_low_bit(layout: Layout, syntax: UID) -> None:
    """Refuse left-justified data where a codec, not the file, places the bits.

    PS3.5 8.1.1 has HighBit = BitsStored - 1; older editions, and ACR-NEMA, left it open.
    """
    if layout.low_bit and _is_coded(syntax) and syntax != RLELossless:
        raise UnsupportedImage(
            f"HighBit is {layout.low_bit + layout.bits_stored - 1} and TransferSyntaxUID "
            f"{syntax.name}, from which left-justified data cannot be told; BitsStored - 1, which "
            f"is {layout.bits_stored - 1}, is allowed. Export the image uncompressed"
        )


def _is_coded(syntax: UID) -> bool:
    return syntax.is_compressed and not syntax.is_deflated


def _check_photometric(layout: Layout) -> None:
    if not layout.photometric:
        raise UnreadableImage(
            "PhotometricInterpretation is missing from the DICOM file; without it black and white "
            "cannot be told apart. Export the image again from its source"
        )
    allowed = {1: (*_GREY, PALETTE), 3: _COLOUR}.get(layout.samples, ())
    if layout.photometric not in allowed:
        # The text comes from the file and is not repeated unless it is a known term.
        known = (*_GREY, *_COLOUR, PALETTE, "ARGB", "CMYK", "HSV")
        told = layout.photometric if layout.photometric in known else "not a known term"
        raise UnsupportedImage(
            f"PhotometricInterpretation is {told} with SamplesPerPixel {layout.samples}; "
            f"{' and '.join(_GREY)} with 1 are allowed. Export the image in grey"
        )


def _check_length(file: DicomFile, layout: Layout) -> None:
    samples = layout.samples
    if layout.photometric == "YBR_FULL_422":
        samples = 2
    expected = layout.rows * layout.columns * samples * layout.bits_allocated // 8
    actual = len(file.header.raw("PixelData") or b"")
    if actual < expected:
        raise UnreadableImage(
            f"PixelData holds {actual} bytes; Rows, Columns and BitsAllocated declare {expected}. "
            "The file is cut off: copy it again from its source"
        )


def _pixel_data(file: DicomFile, syntax: UID, layout: Layout) -> bytes:
    """Give Pixel Data once its size was found to be what the header declares."""
    data = file.header.raw("PixelData") or b""
    if not _is_coded(syntax):
        _check_length(file, layout)
        return data
    frame = get_frame(data, 0, number_of_frames=1)
    if syntax in JPEG2000TransferSyntaxes:
        # A bare codestream, as PS3.5 A.4.4 wants: in a JP2 box of length 0 pydicom 3.0.2 never
        # comes to an end.
        frame = frame[max(frame.find(JPEG2000_START), 0) :]
    if syntax in JPEGTransferSyntaxes:
        frame = normalised_scans(frame)
    _check_compressed_size(_declared_size(frame, syntax), layout)
    return encapsulate([frame])


def _check_compressed_size(declared: DeclaredImage | None, layout: Layout) -> None:
    """Compare what the compressed stream declares with the header, before a decoder trusts it."""
    if declared is None:
        return
    check_size(declared.rows, declared.columns)
    if (declared.rows, declared.columns) != (layout.rows, layout.columns):
        raise UnreadableImage(
            f"PixelData holds an image of {declared.rows} x {declared.columns}; Rows x Columns is "
            f"{layout.rows} x {layout.columns}. Export the image again from its source"
        )
    if declared.channels != layout.samples:
        raise UnreadableImage(
            f"PixelData holds an image of {declared.channels} channels; SamplesPerPixel is "
            f"{layout.samples}. Export the image again from its source"
        )


def _declared_size(codestream: bytes, syntax: UID) -> DeclaredImage | None:
    if syntax in JPEG2000TransferSyntaxes:
        return read_jpeg2000_header(codestream)
    if syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        return read_jpeg_header(codestream)
    return None


def _decode(file: DicomFile, syntax: UID, layout: Layout) -> NDArray[Any]:
    _check_low_bit(layout, syntax)
    with refusing_damage("PixelData"), decoder_remarks():
        try:
            # As Any: with NumPy before 2.3 pyright cannot tell what pydicom's arrays hold.
            decoder = cast(Any, get_decoder(syntax))
        except NotImplementedError:
            told = syntax.name if syntax.is_transfer_syntax else "no transfer syntax"
            raise UnsupportedImage(
                f"TransferSyntaxUID is {told}, from which single images cannot be decoded; "
                "export the image uncompressed"
            ) from None
        pinned = _DECODER if _DECODER in decoder.available_plugins else ""
        data = _pixel_data(file, syntax, layout)
        array = decoder.as_array(data, decoding_plugin=pinned, **_options(file.header, layout))[0]
    expected = (layout.rows, layout.columns, layout.samples)[: 2 if layout.samples == 1 else 3]
    if array.shape != expected:
        raise UnreadableImage(
            f"PixelData decodes to an image of {' x '.join(map(str, array.shape))}; Rows, Columns "
            f"and SamplesPerPixel declare {' x '.join(map(str, expected))}. Export the image again"
        )
    return array


def _options(header: Header, layout: Layout) -> dict[str, Any]:
    """Tell the decoder what was checked; the dataset's other elements may be missing or lie."""
    return {
        "pixel_keyword": "PixelData",
        "pixel_vr": str(header.dataset["PixelData"].VR),
        "number_of_frames": 1,
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": layout.samples,
        "bits_allocated": layout.bits_allocated,
        # Left-justified data as they are, all bits: pydicom takes the lowest for the value.
        "bits_stored": layout.bits_allocated if layout.low_bit else layout.bits_stored,
        "pixel_representation": int(layout.signed and not layout.low_bit),
        "photometric_interpretation": layout.photometric,
        "planar_configuration": _planar_configuration(header, layout),
    }


def _planar_configuration(header: Header, layout: Layout) -> int:
    # One channel lies one way only, whatever the element says.
    return header.integer("PlanarConfiguration") or 0 if layout.samples > 1 else 0


def _grey_from_colour(array: NDArray[Any], layout: Layout) -> NDArray[np.uint16]:
    """Make one channel of three that are equal, as scanners and screen captures store them."""
    shift = max(layout.bits_stored - 8, 0)
    refuse_coloured("the DICOM image", coloured_share(array >> shift))
    return np.asarray(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)).astype(np.uint16)
