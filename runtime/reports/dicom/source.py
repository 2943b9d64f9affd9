"""What a DICOM result takes over from its radiograph: whose it is, and where it is filed.

The header is read again from the file, so that a patient's identity goes from the file into the
result and nowhere else: no radiograph, score, report line or message holds it.
"""

from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from ...errors import UnreadableImage, UnsupportedImage
from ...reading.dicom.elements import leave_out_unreadable
from ...reading.dicom.file import DicomFile, parse_dicom
from ...reading.dicom.header import Header, refusing_damage, silence
from ...reading.read import read_bytes
from ...reading.uids import is_uid
from ...results import ScoredRadiograph
from .values import CHECKS, text_of

_UTF_8 = "ISO_IR 192"
"""In which any character set's text can be said (PS3.3 C.12.1.1.2)."""

PATIENT_AND_STUDY = ("SpecificCharacterSet", *CHECKS, "StudyInstanceUID")
"""What any result takes over unchanged, by keyword."""

_OPTIONAL = ("IssuerOfPatientID", "StudyDescription")
"""Left away when empty; the others must be present even then (type 2, PS3.3 C.7.1.1, C.7.2.1)."""

_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)


def read_source(result: ScoredRadiograph) -> Dataset:
    """Read from a radiograph's file what its results need.

    Parameters
    ----------
    result
        The score; its file is read again.

    Returns
    -------
    Dataset
        Valid attributes alone: patient, study, the UIDs of series, instance and class,
        Rows, Columns, and LossyImageCompression ("00" or "01"). Modality is empty.
        SpecificCharacterSet is UTF-8 where a text is not ASCII, and else absent.

    Raises
    ------
    UnsupportedImage
        The file is no DICOM file, or lacks a valid UID by which a result could be filed in its
        study and refer to it.
    UnreadableImage
        The file cannot be read any more, or holds another image now.
    """
    if result.radiograph.format != "DICOM":
        raise UnsupportedImage(
            f"is a {result.radiograph.format} file: it has neither patient nor study in which a "
            "DICOM object could be filed. Give the radiograph as DICOM, or ask for --overlay"
        )
    with silence(), refusing_damage("the header"):
        file = parse_dicom(read_bytes(result.file))
        source = _identity(file)
        source.update(_image(file))
    if source["SOPInstanceUID"].value != result.radiograph.sop_instance_uid:
        raise UnreadableImage("was replaced by another image since it was scored; score it again")
    return source


def _identity(file: DicomFile) -> Dataset:
    source = Dataset()
    for keyword, check in CHECKS.items():
        value = check(text_of(file.header.dataset, keyword))
        if not value.isascii():
            source.SpecificCharacterSet = _UTF_8
        if value or keyword not in _OPTIONAL:
            setattr(source, keyword, value)
    return source


def _image(file: DicomFile) -> Dataset:
    header = file.header
    leave_out_unreadable(header)
    source = Dataset()
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(source, keyword, _uid(keyword, "\\".join(header.texts(keyword))))
    source.SOPClassUID = _uid("SOPClassUID", file.sop_class)
    source.Rows, source.Columns = header.required("Rows"), header.required("Columns")
    source.LossyImageCompression = "01" if _is_lossy(file, header) else "00"
    # With CR or DX highdicom asks for PatientOrientation and ImagerPixelSpacing, which many lack.
    source.Modality = ""
    return source


def _uid(keyword: str, value: str) -> str:
    if not is_uid(value):
        raise UnsupportedImage(
            f"{keyword} of the DICOM file is {'no valid UID' if value else 'missing'}: no DICOM "
            "object can be filed in its study and refer to it. Give the image as the archive has "
            "it, or ask for --overlay"
        )
    return value


def _is_lossy(file: DicomFile, header: Header) -> bool:
    return file.transfer_syntax in _LOSSY or header.text("LossyImageCompression") == "01"
