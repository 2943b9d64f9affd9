"""Names of the files written about a radiograph, which must not tell whose it is.

A radiograph's file name may hold the patient's name, and its SOP Instance UID finds the patient in
any archive that keeps the image. A digest of either hides little: names and UIDs can be listed and
tried. So the name is a digest of the pixels as well, which only someone who has the image can
repeat; the place of the file goes in too, so that two files never share a name.
"""

import os
import re
from pathlib import Path

from ..files import digest
from ..results import ScoredRadiograph

_DIGITS = 16
"""64 bits: among 100,000 files two share a name with a chance of 3 in 10,000,000,000."""

_LONGEST_STEM = 48
"""Characters; four bytes each still leave a name that file systems take."""


def output_stem(result: ScoredRadiograph, keep_names: bool = False) -> str:
    """Name what is written about a radiograph, without suffix.

    A second run over the same files gives the same names.

    Parameters
    ----------
    result
        What is written about.
    keep_names
        Begin with the file's own name, cut to 48 characters, for those to whom it may be told;
        the digest then follows, since files of several folders may have one name.

    Returns
    -------
    str
        16 hexadecimal digits of a SHA-256 over the file's place, its SOP Instance UID and its
        pixels; with `keep_names` the file's name and a hyphen before them.
    """
    digits = _digest(result)[:_DIGITS]
    return f"{_kept(result.file)}{digits}" if keep_names else digits


def stem_pattern(file: Path, keep_names: bool = False) -> str:
    """A regular expression for the `output_stem` of a file that is not read again."""
    kept = re.escape(_kept(file)) if keep_names else ""
    return rf"{kept}[0-9a-f]{{{_DIGITS}}}"


def _kept(file: Path) -> str:
    return f"{file.stem[:_LONGEST_STEM]}-"


def _digest(result: ScoredRadiograph) -> str:
    radiograph = result.radiograph
    uid = radiograph.sop_instance_uid or ""
    place = os.fsencode(result.file.resolve())
    return digest([place, b"\0", uid.encode(), b"\0", radiograph.codes.tobytes()])
