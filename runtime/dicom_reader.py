"""DICOM files become a `Radiograph`: CR, DX for presentation, and Secondary Captures of them.

The way from file to picture is in four modules: `dicom_file` parses, `dicom_checks` says what may
be scored, `dicom_pixels` decodes, `dicom_display` windows and turns.
"""

import re

from .dicom_checks import check_kind, doubts
from .dicom_display import display
from .dicom_file import parse_dicom
from .dicom_header import Header, reading, silence
from .dicom_pixels import read_layout, read_pixels
from .radiograph import Radiograph

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def radiograph_from_dicom(content: bytes) -> Radiograph:
    """Read a DICOM file as a radiologist would see it, bone bright.

    Parameters
    ----------
    content
        The whole file, with or without preamble.

    Returns
    -------
    Radiograph
        Pixels float64 ``[rows, columns]``, 0 to 1 over the range of the window.

    Raises
    ------
    UnreadableImage
        The bytes are not DICOM, or damaged, cut off, or lack what decoding needs.
    UnsupportedImage
        It is no single-frame grey radiograph of the chest, for presentation.
    ImageTooLarge
        It declares more than `MAXIMUM_PIXELS`; nothing was decoded.
    """
    with silence(), reading("the content"):
        file = parse_dicom(content)
        check_kind(file)
        layout = read_layout(file.header)
        stored = read_pixels(file, layout)
        shown = display(file.header, stored)
        return Radiograph(
            pixels=shown.pixels,
            format="DICOM",
            sop_instance_uid=_sop_instance_uid(file.header),
            steps=stored.steps + shown.steps,
            warnings=doubts(file.header) + shown.warnings,
        )


def _sop_instance_uid(header: Header) -> str | None:
    """Give the UID if it is one (PS3.5 9.1): it ends up in reports and file names."""
    uid = header.text("SOPInstanceUID")
    return uid if _UID.fullmatch(uid) and len(uid) <= 64 else None
