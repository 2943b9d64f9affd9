"""The overlay as a DICOM Secondary Capture (PS3.3 A.8.1), for viewers that show no reports."""

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from ...authorship import SERIES_DESCRIPTION, SOFTWARE, software_version
from ...results import RESEARCH_USE, ScoredRadiograph
from ..material import Material
from ..overlay import overlay_picture
from .result import derived_uid, plain_text, save_dicom, sign
from .source import PATIENT_AND_STUDY, read_source

SERIES_NUMBER = 9902
"""Far from those of modalities. The series is found by its UID; the number only sorts it."""

_PURPOSE = Code("121322", "DCM", "Source image for image processing operation")


def write_secondary_capture(material: Material, path: Path) -> tuple[str, ...]:
    """Save a result's overlay as a Secondary Capture; `output_names` has names that tell nothing.

    Parameters
    ----------
    material
        The result to draw. The header of its file is read again.
    path
        Where to save it, in a folder that exists.

    Returns
    -------
    tuple[str, ...]
        What of patient and study is not as it was in the file; see `source.Source`.

    Raises
    ------
    UnsupportedImage, UnreadableImage
        See `source.read_source`.
    OSError
        The file cannot be written.
    """
    save_dicom(secondary_capture(material), path)
    return material.part(read_source).remarks


def secondary_capture(material: Material) -> Dataset:
    """Make a Secondary Capture, in a series of its own in the image's study.

    Its UIDs are those of any other time that it is made. The research-use line is in the picture,
    in the series' description and in the comments.

    Parameters
    ----------
    material
        The result to draw. The header of its file is read again.

    Raises
    ------
    UnsupportedImage, UnreadableImage
        See `source.read_source`.
    """
    result, source = material.result, material.part(read_source).dataset
    capture = Dataset()
    for keyword in PATIENT_AND_STUDY:
        if keyword in source:
            capture[keyword] = source[keyword]
    _add_series(capture)
    uid = source.SOPInstanceUID
    capture.SOPInstanceUID = derived_uid(result, uid, "capture")
    capture.SeriesInstanceUID = derived_uid(result, uid, "capture series")
    _add_derivation(capture, source, result)
    _add_picture(capture, material.part(overlay_picture))
    capture.file_meta = FileMetaDataset()
    capture.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    sign(capture)
    return capture


def _add_series(capture: Dataset) -> None:
    """General Series, General Equipment, SC Equipment, SOP Common (C.7.3.1, C.7.5.1, C.8.6.1)."""
    now = datetime.now()
    capture.SOPClassUID = SecondaryCaptureImageStorage
    capture.SeriesNumber, capture.InstanceNumber = SERIES_NUMBER, 1
    capture.SeriesDescription = SERIES_DESCRIPTION
    capture.Modality = "OT"
    capture.BodyPartExamined = "CHEST"
    capture.ConversionType = "WSD"
    capture.Manufacturer = capture.ManufacturerModelName = SOFTWARE
    capture.SoftwareVersions = software_version()
    capture.InstanceCreationDate = capture.ContentDate = now.strftime("%Y%m%d")
    capture.InstanceCreationTime = capture.ContentTime = now.strftime("%H%M%S.%f")


def _add_derivation(capture: Dataset, source: Dataset, result: ScoredRadiograph) -> None:
    """Say from which image it was made, and how (General Image, C.7.6.1, C.7.6.1.1.4)."""
    capture.ImageType = ["DERIVED", "SECONDARY"]
    light = "light network, " if result.model.is_light else ""
    capture.DerivationDescription = (
        f"{SOFTWARE} {software_version()}: Brixia score drawn on the image, "
        f"{light}weights sha256 {plain_text(result.model.sha256)[:64]}"
    )
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = _PURPOSE.value, _PURPOSE.scheme_designator
    purpose.CodeMeaning = _PURPOSE.meaning
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    reference.PurposeOfReferenceCodeSequence = [purpose]
    capture.SourceImageSequence = [reference]
    capture.LossyImageCompression = source.LossyImageCompression
    capture.ImageComments = RESEARCH_USE


def _add_picture(capture: Dataset, picture: NDArray[np.uint8]) -> None:
    """Image Pixel (C.7.6.3): red, green, blue, 8 bits each, by pixel."""
    colours = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    capture.BurnedInAnnotation = "YES"
    capture.PatientOrientation = None
    capture.SamplesPerPixel = 3
    capture.PhotometricInterpretation = "RGB"
    capture.PlanarConfiguration = 0
    capture.Rows, capture.Columns = colours.shape[:2]
    capture.BitsAllocated = capture.BitsStored = 8
    capture.HighBit = 7
    capture.PixelRepresentation = 0
    pixels = colours.tobytes()
    capture.PixelData = pixels + b"\0" * (len(pixels) % 2)
    capture["PixelData"].VR = "OB"
