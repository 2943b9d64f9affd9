"""What the node takes: service classes and transfer syntaxes (PS3.4 Annex B, PS3.5 Annex A)."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydicom.uid import (
    JPEG2000,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"

CHEST_CLASSES: Mapping[str, str] = {
    ComputedRadiographyImageStorage: "Computed Radiography Image Storage",
    DigitalXRayImageStorageForPresentation: "Digital X-Ray Image Storage - For Presentation",
    DigitalXRayImageStorageForProcessing: "Digital X-Ray Image Storage - For Processing",
    SecondaryCaptureImageStorage: "Secondary Capture Image Storage",
}
"""In which chest radiographs come. What cannot be scored of them fails with its reason."""

TRANSFER_SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEG2000Lossless,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
)
"""Those that the reader decodes; the first that a caller offers is taken."""


def storage_classes(accept: str) -> tuple[str, ...]:
    """The SOP classes to take: those of chest radiographs, or with ``all`` every storage class."""
    if accept != "all":
        return tuple(CHEST_CLASSES)
    presentation: Any = import_module("pynetdicom.presentation")
    every = (str(each.abstract_syntax) for each in presentation.AllStoragePresentationContexts)
    return tuple(dict.fromkeys((*CHEST_CLASSES, *every)))
