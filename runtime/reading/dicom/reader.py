"""DICOM files become a `Radiograph`: CR, DX for presentation, and Secondary Captures of them.

The way from file to picture is in five modules: `file` parses, `checks` says what may
be scored, `pixels` decodes, `display` windows and turns, `shutter` covers.
"""

from dataclasses import dataclass

import numpy as np

from ...radiograph import Radiograph
from ..options import AS_STORED, ReadingOptions
from ..uids import is_uid_like
from .checks import check_kind, doubts
from .display import display
from .elements import leave_out_unreadable
from .file import parse_dicom
from .header import Header, refusing_damage, silence
from .pixels import StoredCodes, StoredPixels, read_layout, read_pixels
from .shutter import Shutter, read_shutter
from .stage import Stage, Values
from .view import told_modality, told_projection


@dataclass(frozen=True)
class DicomReading:
    """A file read, with all that was on the way.

    Attributes
    ----------
    stored
        Its decoded pixels.
    stages
        The values of each code from stored to shown, see `Displayed.stages`.
    radiograph
        What it shows, shutters closed.
    """

    stored: StoredPixels
    stages: tuple[Stage, ...]
    radiograph: Radiograph


def radiograph_from_dicom(content: bytes, options: ReadingOptions = AS_STORED) -> Radiograph:
    """Read a DICOM file as a radiologist would see it, bone bright.

    Parameters
    ----------
    content
        The whole file, with or without preamble.
    options
        What may be chosen.

    Returns
    -------
    Radiograph
        The stored bits of each pixel, with shades 0 to 1 over the range of the window.

    Raises
    ------
    UnreadableImage
        The bytes are not DICOM, or damaged, cut off, or lack what decoding needs.
    UnsupportedImage
        It is no single-frame grey radiograph of the chest, for presentation, or has not the
        window that `options` name.
    ImageTooLarge
        It declares more than `MAXIMUM_PIXELS`; nothing was decoded.
    """
    return read_dicom(content, options).radiograph


def read_dicom(content: bytes, options: ReadingOptions = AS_STORED) -> DicomReading:
    """Read a DICOM file and keep what was on the way; see `radiograph_from_dicom`."""
    with silence(), refusing_damage("the content"):
        file = parse_dicom(content)
        left_out = file.left_out + leave_out_unreadable(file.header)
        check_kind(file)
        layout = read_layout(file.header)
        stored = read_pixels(file, layout)
        shown = display(file.header, stored, options)
        shutter = read_shutter(file.header, layout.rows, layout.columns)
        codes, shades = _shut(stored.codes, shown.shades, shutter)
        radiograph = Radiograph(
            codes,
            shades,
            format="DICOM",
            sop_instance_uid=_sop_instance_uid(file.header),
            steps=stored.steps + shown.steps + shutter.steps,
            warnings=left_out + doubts(file.header) + shown.warnings + shutter.warnings,
            modality=told_modality(file.header),
            projection=told_projection(file.header),
        )
        return DicomReading(stored, shown.stages, radiograph)


def _shut(codes: StoredCodes, shades: Values, shutter: Shutter) -> tuple[StoredCodes, Values]:
    """Give the pixels that a shutter hides a code that is black, a new one if none is."""
    if shutter.hidden is None:
        return codes, shades
    black = int(shades.argmin())
    if shades[black] > 0:
        black, shades = shades.size, np.append(shades, 0.0)
    wide_enough = np.promote_types(codes.dtype, np.min_scalar_type(black))
    shut = codes.astype(wide_enough)
    shut[shutter.hidden] = black
    return shut, shades


def _sop_instance_uid(header: Header) -> str | None:
    """Give the UID if it has the form of one: it ends up in reports."""
    uid = header.text("SOPInstanceUID")
    return uid if is_uid_like(uid) else None
