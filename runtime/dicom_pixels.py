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
)

from .decoder_remarks import decoder_remarks
from .dicom_file import DicomFile
from .dicom_header import Header, reading
from .errors import UnreadableImage, UnsupportedImage
from .image_headers import (
    JPEG2000_START,
    DeclaredImage,
    check_size,
    read_jpeg2000_header,
    read_jpeg_header,
)
from .image_reader import coloured_share, refuse_coloured

_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_DECODER = "pylibjpeg"


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
        Bits that a sample takes, and those of them that hold its value, the lowest.
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
    signed: bool
    photometric: str


@dataclass(frozen=True)
class StoredPixels:
    """The decoded pixels.

    Attributes
    ----------
    codes
        uint16 ``[rows, columns]``, 0 to ``2**bits_stored - 1``: the stored bits as an index.
        A signed value v has the code ``v mod 2**bits_stored``.
    layout
        How they were stored.
    from_colour
        True when three equal channels were made one.
    steps
        What was done, one sentence each.
    """

    codes: NDArray[np.uint16]
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
        Palette colour, an unusual number of bits, or left-justified data.
    ImageTooLarge
        There are more than `MAXIMUM_PIXELS`.
    """
    layout = Layout(
        rows=header.required("Rows"),
        columns=header.required("Columns"),
        samples=header.integer("SamplesPerPixel") or 1,
        bits_allocated=header.required("BitsAllocated"),
        bits_stored=header.required("BitsStored"),
        signed=header.integer("PixelRepresentation") == 1,
        photometric=header.text("PhotometricInterpretation"),
    )
    check_size(layout.rows, layout.columns)
    _check_bits(layout, header.integer("HighBit"))
    _check_photometric(layout)
    return layout


def read_pixels(file: DicomFile, layout: Layout) -> StoredPixels:
    """Decode Pixel Data to stored values, colour made grey where it is grey in truth.

    Raises
    ------
    UnreadableImage
        The data are cut off, damaged, or of another size than the header declares.
    UnsupportedImage
        A transfer syntax that holds no single images, or a colour image.
    """
    syntax = UID(file.transfer_syntax)
    array = _decode(file, syntax, layout)
    told = f"decoded {syntax.name}: {layout.bits_stored} of {layout.bits_allocated} bits"
    steps = (f"{told}, {'signed' if layout.signed else 'unsigned'}, {layout.photometric}",)
    if array.ndim == 3:
        array = _grey_from_colour(array, layout)
        steps += ("colour channels, grey in truth, made one",)
    # Bits above BitsStored may hold overlays (PS3.5 8.1.1) or the sign; neither is part of a code.
    codes = array.astype(np.uint16, copy=False) & np.uint16(2**layout.bits_stored - 1)
    return StoredPixels(codes, layout, layout.samples == 3, steps)


def _check_bits(layout: Layout, high_bit: int | None) -> None:
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
    # PS3.5 8.1.1 requires it; pydicom does not look, and left-justified data would come out wrong.
    if high_bit is not None and high_bit != layout.bits_stored - 1:
        raise UnsupportedImage(
            f"HighBit is {high_bit}; BitsStored - 1, which is {layout.bits_stored - 1}, is "
            "allowed. Export the image again with a current PACS"
        )


def _check_photometric(layout: Layout) -> None:
    if not layout.photometric:
        raise UnreadableImage(
            "PhotometricInterpretation is missing from the DICOM file; without it black and white "
            "cannot be told apart. Export the image again from its source"
        )
    allowed = {1: _GREY, 3: _COLOUR}.get(layout.samples, ())
    if layout.photometric not in allowed:
        # The text comes from the file and is not repeated unless it is a known term.
        known = (*_GREY, *_COLOUR, "PALETTE COLOR", "ARGB", "CMYK", "HSV")
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
    if not syntax.is_compressed or syntax.is_deflated:
        _check_length(file, layout)
        return data
    frame = get_frame(data, 0, number_of_frames=1)
    if syntax in JPEG2000TransferSyntaxes:
        # A bare codestream, as PS3.5 A.4.4 wants: in a JP2 box of length 0 pydicom 3.0.2 never
        # comes to an end.
        frame = frame[max(frame.find(JPEG2000_START), 0) :]
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


def _declared_size(codestream: bytes, syntax: UID) -> DeclaredImage | None:
    if syntax in JPEG2000TransferSyntaxes:
        return read_jpeg2000_header(codestream)
    if syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        return read_jpeg_header(codestream)
    return None


def _decode(file: DicomFile, syntax: UID, layout: Layout) -> NDArray[Any]:
    with reading("PixelData"), decoder_remarks():
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
        return decoder.as_array(data, decoding_plugin=pinned, **_options(file.header, layout))[0]


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
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
        "photometric_interpretation": layout.photometric,
        "planar_configuration": header.integer("PlanarConfiguration") or 0,
    }


def _grey_from_colour(array: NDArray[Any], layout: Layout) -> NDArray[np.uint16]:
    """Make one channel of three that are equal, as scanners and screen captures store them."""
    shift = max(layout.bits_stored - 8, 0)
    refuse_coloured("the DICOM image", coloured_share(array >> shift))
    return np.asarray(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY)).astype(np.uint16)
