"""Which elements of a radiograph are needed, and which may be left out where they cannot be read.

Files from hospitals hold values that are none: a decimal comma, a number of another length, a text
where numbers belong. What the pixels cannot be read without is refused when it is read, by
`header.Header`. Everything else is left out before anything asks for it, and told where it would
have changed the picture or a check; where it would have added a doubt at most, nothing is said.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from ...errors import UnreadableImage
from .header import Header


class Need(Enum):
    """What becomes of an element that cannot be read."""

    PIXELS = "refused: without it there are no pixels, or nobody can tell what they are"
    PICTURE = "left out and told: it decides how the pixels are shown"
    CHECK = "left out and told: it decides whether the image may be scored"
    DOUBT = "left out: it would have added a doubt, or an identifier, at most"


@dataclass(frozen=True)
class Element:
    """One element: what it is needed for, and how it is read."""

    need: Need
    read: Callable[[Header, str], object]


def _bytes_or_numbers(item: Header, keyword: str) -> object:
    return item.raw(keyword) or item.numbers(keyword)


_WHOLE, _NUMBERS, _TEXTS, _ITEMS = Header.integer, Header.numbers, Header.texts, Header.items

ELEMENTS: Mapping[str, Element] = MappingProxyType(
    {
        # Image Pixel Module (PS3.3 C.7.6.3)
        "Rows": Element(Need.PIXELS, _WHOLE),
        "Columns": Element(Need.PIXELS, _WHOLE),
        "SamplesPerPixel": Element(Need.PIXELS, _WHOLE),
        "PhotometricInterpretation": Element(Need.PIXELS, _TEXTS),
        "PlanarConfiguration": Element(Need.PIXELS, _WHOLE),
        "BitsAllocated": Element(Need.PIXELS, _WHOLE),
        "BitsStored": Element(Need.PIXELS, _WHOLE),
        "HighBit": Element(Need.PIXELS, _WHOLE),
        "PixelRepresentation": Element(Need.PIXELS, _WHOLE),
        "PixelData": Element(Need.PIXELS, Header.raw),
        **{
            f"{kind}{colour}PaletteColorLookupTable{part}": Element(Need.PIXELS, read)
            for colour in ("Red", "Green", "Blue")
            for kind, part, read in (
                ("", "Descriptor", _NUMBERS),
                ("", "Data", Header.raw),
                ("Segmented", "Data", Header.raw),
            )
        },
        "PixelPaddingValue": Element(Need.PICTURE, _WHOLE),
        "PixelPaddingRangeLimit": Element(Need.PICTURE, _WHOLE),
        "PixelAspectRatio": Element(Need.DOUBT, _NUMBERS),
        "PixelSpacing": Element(Need.DOUBT, _NUMBERS),
        "ImagerPixelSpacing": Element(Need.DOUBT, _NUMBERS),
        # The grey-scale pipeline (C.11) and shutters (C.7.6.11)
        "ModalityLUTSequence": Element(Need.PICTURE, _ITEMS),
        "RescaleSlope": Element(Need.PICTURE, _NUMBERS),
        "RescaleIntercept": Element(Need.PICTURE, _NUMBERS),
        "VOILUTSequence": Element(Need.PICTURE, _ITEMS),
        "WindowCenter": Element(Need.PICTURE, _NUMBERS),
        "WindowWidth": Element(Need.PICTURE, _NUMBERS),
        "VOILUTFunction": Element(Need.PICTURE, _TEXTS),
        "PresentationLUTShape": Element(Need.PICTURE, _TEXTS),
        "ShutterShape": Element(Need.PICTURE, _TEXTS),
        "ShutterLeftVerticalEdge": Element(Need.PICTURE, _NUMBERS),
        "ShutterRightVerticalEdge": Element(Need.PICTURE, _NUMBERS),
        "ShutterUpperHorizontalEdge": Element(Need.PICTURE, _NUMBERS),
        "ShutterLowerHorizontalEdge": Element(Need.PICTURE, _NUMBERS),
        "CenterOfCircularShutter": Element(Need.PICTURE, _NUMBERS),
        "RadiusOfCircularShutter": Element(Need.PICTURE, _NUMBERS),
        "VerticesOfThePolygonalShutter": Element(Need.PICTURE, _NUMBERS),
        # What is refused (PS3.4 B.5 and others, see `checks`)
        "SOPClassUID": Element(Need.CHECK, _TEXTS),
        "Modality": Element(Need.CHECK, _TEXTS),
        "NumberOfFrames": Element(Need.CHECK, _WHOLE),
        "PresentationIntentType": Element(Need.CHECK, _TEXTS),
        "BodyPartExamined": Element(Need.CHECK, _TEXTS),
        "Manufacturer": Element(Need.CHECK, _TEXTS),
        "ManufacturerModelName": Element(Need.CHECK, _TEXTS),
        "DerivationDescription": Element(Need.CHECK, _TEXTS),
        "SeriesDescription": Element(Need.CHECK, _TEXTS),
        # What is doubted, and what results refer to
        "ImageType": Element(Need.DOUBT, _TEXTS),
        "ConversionType": Element(Need.DOUBT, _TEXTS),
        "BurnedInAnnotation": Element(Need.DOUBT, _TEXTS),
        "StudyDescription": Element(Need.DOUBT, _TEXTS),
        "ProtocolName": Element(Need.DOUBT, _TEXTS),
        "PerformedProcedureStepDescription": Element(Need.DOUBT, _TEXTS),
        "AcquisitionDeviceProcessingDescription": Element(Need.DOUBT, _TEXTS),
        "ViewPosition": Element(Need.DOUBT, _TEXTS),
        "ViewCodeSequence": Element(Need.DOUBT, _ITEMS),
        "AnatomicRegionSequence": Element(Need.DOUBT, _ITEMS),
        "PatientOrientation": Element(Need.DOUBT, _TEXTS),
        "AnatomicalOrientationType": Element(Need.DOUBT, _TEXTS),
        "PatientSpeciesDescription": Element(Need.DOUBT, _TEXTS),
        "SOPInstanceUID": Element(Need.DOUBT, _TEXTS),
        "SpecificCharacterSet": Element(Need.DOUBT, _TEXTS),
        "LossyImageCompression": Element(Need.DOUBT, _TEXTS),
    }
)
"""Every element of a header that reading asks for, by keyword."""

ITEM_ELEMENTS: Mapping[str, Element] = MappingProxyType(
    {
        "CodeValue": Element(Need.DOUBT, _TEXTS),
        "CodingSchemeDesignator": Element(Need.DOUBT, _TEXTS),
        # Without either the table is left out, which is told of its sequence.
        "LUTDescriptor": Element(Need.DOUBT, _NUMBERS),
        "LUTData": Element(Need.DOUBT, _bytes_or_numbers),
    }
)
"""Every element of a sequence's item that reading asks for."""


def leave_out_unreadable(
    header: Header, keywords: Collection[str] = tuple(ELEMENTS)
) -> tuple[str, ...]:
    """Take the elements out of a header that are not needed and cannot be read.

    Parameters
    ----------
    header
        Whose elements are read, so that pydicom keeps their values and no longer their bytes.
    keywords
        Which of `ELEMENTS` to look at.

    Returns
    -------
    tuple[str, ...]
        One sentence for each of those whose absence matters. None holds a value.
    """
    elements = {keyword: ELEMENTS[keyword] for keyword in keywords}
    left_out = _left_out(header, elements)
    for keyword, element in elements.items():
        if element.read is _ITEMS:
            for item in header.items(keyword):
                _left_out(item, ITEM_ELEMENTS)
    return told_of(left_out)


def told_of(left_out: Iterable[str]) -> tuple[str, ...]:
    """Give a sentence for each element left out whose absence matters."""
    return tuple(
        f"{keyword} cannot be read and was left out"
        for keyword in left_out
        if keyword in ELEMENTS and ELEMENTS[keyword].need is not Need.DOUBT
    )


def _left_out(header: Header, elements: Mapping[str, Element]) -> list[str]:
    present = [keyword for keyword in elements if keyword in header]
    unreadable = [
        keyword
        for keyword in present
        if elements[keyword].need is not Need.PIXELS
        and not _can_be_read(header, keyword, elements[keyword])
    ]
    for keyword in unreadable:
        del header.dataset[keyword]
    return unreadable


def _can_be_read(header: Header, keyword: str, element: Element) -> bool:
    try:
        element.read(header, keyword)
    except UnreadableImage:
        return False
    return True
