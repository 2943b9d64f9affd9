"""What an object that arrives says about itself, as far as the node must know."""

import hashlib
import hmac
import re
from collections.abc import Iterator

from ...errors import UnreadableImage
from ...reading.dicom.file import parse_dicom, read_file_meta
from ...reading.dicom.header import Header, refusing_damage, silence
from ...reading.uids import is_uid
from ..state.rows import Received

_DIGITS = 16
_MOMENTS = (
    ("AcquisitionDateTime", ""),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("StudyDate", "StudyTime"),
)
_DATE = re.compile(r"(\d{4})[.-]?([01]\d)[.-]?([0-3]\d)", re.ASCII)
_TIME = re.compile(r"([0-2]\d):?([0-5]\d)?:?([0-5]\d)?", re.ASCII)


def describe(content: bytes, sha256: str, source: str, key: bytes) -> Received:
    """Read the header of an object.

    Parameters
    ----------
    content
        The whole file, with file meta information.
    sha256
        See `spool.digest`.
    source
        Who sent it.
    key
        Makes digests of patients that nobody without it can repeat.

    Raises
    ------
    UnreadableImage, ImageTooLarge
        It is no DICOM object that can be parsed, or has no valid UIDs.
    """
    with silence(), refusing_damage("the header"):
        file = parse_dicom(content)
        header = file.header
        uid = "\\".join(header.texts("SOPInstanceUID"))
        if not is_uid(uid) or not is_uid(file.sop_class):
            raise UnreadableImage("SOPInstanceUID or SOPClassUID of the object is no valid UID")
        study = "\\".join(header.texts("StudyInstanceUID"))
        return Received(
            sop_instance_uid=uid,
            sha256=sha256,
            sop_class_uid=file.sop_class,
            transfer_syntax=file.transfer_syntax,
            size=len(content),
            source=source,
            study_uid=study if is_uid(study) else "",
            patient=patient_digest(header, key),
            acquired=next(_moments(header), ""),
            spool=f"{sha256}.dcm",
        )


def split_file(content: bytes) -> tuple[str, bytes]:
    """Take a DICOM file apart: its transfer syntax, and its dataset as it is encoded.

    Raises
    ------
    UnreadableImage, ImageTooLarge
        It is no DICOM file.
    """
    with silence():
        file = parse_dicom(content)
        # As it was written: the parsed file is inflated where it was deflated.
        syntax, start = read_file_meta(content)
    return syntax or file.transfer_syntax, content[start:]


def patient_digest(header: Header, key: bytes) -> str:
    """Tell patients apart without telling who they are: 16 hexadecimal digits, or nothing.

    A keyed digest of IssuerOfPatientID and PatientID (PS3.3 C.7.1.1); nothing where there is no
    PatientID.
    """
    patient = header.text("PatientID")
    if not patient:
        return ""
    told = f"{header.text('IssuerOfPatientID')}\0{patient}".encode()
    return hmac.new(key, told, hashlib.sha256).hexdigest()[:_DIGITS]


def _moments(header: Header) -> Iterator[str]:
    """When the image was taken, by each element that says so, the best first, as ISO 8601."""
    for date_keyword, time_keyword in _MOMENTS:
        value = header.text(date_keyword)
        date = _DATE.match(value)
        if date is None:
            continue
        rest = value[date.end() :] if not time_keyword else header.text(time_keyword)
        clock = _TIME.match(rest)
        day = "-".join(date.groups())
        yield day if clock is None else f"{day}T{':'.join(part or '00' for part in clock.groups())}"
