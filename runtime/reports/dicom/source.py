"""What a DICOM result takes over from its radiograph: whose it is, and where it is filed.

The header is read again from the file, so that a patient's identity goes from the file into the
result and nowhere else: no radiograph, score, report line or message holds it. That something of it
could not be taken over is told, by the element's keyword alone.
"""

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from ...errors import UnreadableImage, UnsupportedImage
from ...reading.dicom.elements import leave_out_unreadable
from ...reading.dicom.file import DicomFile, parse_dicom
from ...reading.dicom.header import Header, refusing_damage, silence
from ...reading.dicom.text import character_sets
from ...reading.read import read_bytes
from ...reading.uids import is_uid
from ...results import ScoredRadiograph
from .values import CHECKS, take_over

_UTF_8 = "ISO_IR 192"
"""In which any character set's text can be said (PS3.3 C.12.1.1.2)."""

PATIENT_AND_STUDY = ("SpecificCharacterSet", *CHECKS, "StudyInstanceUID")
"""What any result takes over unchanged, by keyword."""

_OPTIONAL = ("IssuerOfPatientID", "StudyDescription")
"""Left away when empty; the others must be present even then (type 2, PS3.3 C.7.1.1, C.7.2.1)."""

_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)


@dataclass(frozen=True)
class Source:
    """What results need of a radiograph's file.

    Attributes
    ----------
    dataset
        Valid attributes alone: patient, study, the UIDs of series, instance and class,
        Rows, Columns, and LossyImageCompression ("00" or "01"). Modality is empty.
        SpecificCharacterSet is UTF-8 where a text is not ASCII, and else absent.
    remarks
        One sentence for each value of patient and study that is left out or not as it was.
    """

    dataset: Dataset
    remarks: tuple[str, ...]


def read_source(result: ScoredRadiograph) -> Source:
    """Read from a radiograph's file what its results need.

    Parameters
    ----------
    result
        The score; its file is read again.

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
        source = _identity(file.header.dataset)
        source.dataset.update(_image(file))
    if source.dataset["SOPInstanceUID"].value != result.radiograph.sop_instance_uid:
        raise UnreadableImage("was replaced by another image since it was scored; score it again")
    return source


def _identity(original: Dataset) -> Source:
    sets = character_sets(original)
    dataset = Dataset()
    remarks: list[str] = []
    for keyword in CHECKS:
        taken = take_over(original, keyword, sets)
        if not taken.value.isascii():
            dataset.SpecificCharacterSet = _UTF_8
        if taken.value or keyword not in _OPTIONAL:
            setattr(dataset, keyword, taken.value)
        remarks += [f"{keyword} {remark}" for remark in taken.remarks]
    # Only where it may have mattered.
    if sets.remark and (remarks or "SpecificCharacterSet" in dataset):
        remarks.insert(0, f"SpecificCharacterSet {sets.remark}")
    return Source(dataset, tuple(remarks))


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
