"""Which DICOM files may be scored: refusals where a tag is certain, warnings where it is not.

Tags lie. Chest radiographs come in the Secondary Capture class, bedside images without a view
position, "AP PORTABLE" only in a free text. So what contradicts a frontal chest radiograph for
certain is refused, and anything doubtful is told beside the score. Free texts are only searched for
known words; what else they say is never repeated, since it may name the patient.
"""

import re

from pydicom.uid import UID

from ...authorship import OWN_ELEMENTS, is_own_element, refuse_own
from ...errors import UnreadableImage, UnsupportedImage
from .chest_words import names_chest
from .file import DicomFile
from .header import Header
from .view import view_doubts

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_IMAGE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray, for presentation",
    _SECONDARY_CAPTURE: "Secondary Capture",
}
_DIGITISED_FILM = "DF"
_DX_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"

_RADIOGRAPHY = ("", "CR", "DX", "DR", "RG", "OT", "SC")
_OTHER_MODALITIES = (
    *("CT", "MR", "US", "NM", "PT", "MG", "XA", "BMD", "IVUS", "OCT", "OPT", "OP", "ES", "XC"),
    *("GM", "SM", "IO", "PX", "ECG", "SR", "DOC", "PR", "SEG", "RTIMAGE", "RTDOSE", "RTSTRUCT"),
)

_OTHER_PARTS = re.compile(
    r"(?<![A-Z])(JAW|TEETH|TOOTH|DENTAL|MANDIBLE|MAXILLA|SKULL|HEAD|BRAIN|FACE|NECK|SINUS|ORBIT|"
    r"CSPINE|LSPINE|SSPINE|COCCYX|SACRUM|PELVIS|HIP|ABDOMEN|BREAST|EXTREMITY|SHOULDER|ARM|HUMERUS|"
    r"ELBOW|FOREARM|WRIST|HAND|FINGER|THUMB|LEG|FEMUR|THIGH|KNEE|PATELLA|TIBIA|ANKLE|FOOT|FEET|"
    r"TOE|CALCANEUS|HEEL)(?=S?(?![A-Z]))"
)
# Fewer than above: a free text may say "head up" or "arms down" of a patient with a chest film.
_TOLD_PARTS = re.compile(
    r"(?<![A-Z])(TEETH|TOOTH|DENTAL|PANORAMIC|MANDIBLE|SKULL|PELVIS|ABDOMEN|SHOULDER|HUMERUS|ELBOW|"
    r"WRIST|FINGER|FEMUR|KNEE|ANKLE|FOOT|MAMMO)(?=S?(?![A-Z]))"
)
_ANIMALS = re.compile(r"(?<![A-Z])(CANINE|FELINE|EQUINE|VETERINARY)(?![A-Z])")
_LATERAL = re.compile(r"(?<![A-Z])(LATERAL|LAT)(?![A-Z])")
_FREE_TEXTS = (
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDeviceProcessingDescription",
)


def check_kind(file: DicomFile) -> None:
    """Refuse what is certainly not a single-frame radiograph of a chest, ready to be shown.

    Raises
    ------
    UnsupportedImage
        A result of this software, another kind of object (PS3.4 B.5), several frames (C.7.6.6),
        raw detector data for processing (C.8.11.1), another body part (Annex L of PS3.16), or no
        pixels at all.
    UnreadableImage
        The file was cut off within the pixels.
    """
    _check_author(file.header)
    _check_sop_class(file.sop_class)
    _check_modality(file.header)
    _check_pixel_data(file)
    _check_frames(file.header)
    _check_presentation_intent(file)
    _check_body_part(file.header)


def doubts(header: Header) -> tuple[str, ...]:
    """Tell what in the header speaks against a frontal chest radiograph, one sentence each."""
    found = (
        *_modality_doubts(header),
        *_body_part_doubts(header),
        *view_doubts(header),
        *_free_text_doubts(header),
        *_spacing_doubts(header),
        *_presentation_doubts(header),
    )
    return tuple(dict.fromkeys(found))


def _check_author(header: Header) -> None:
    if any(is_own_element(keyword, header.text(keyword)) for keyword in OWN_ELEMENTS):
        refuse_own()


def _check_sop_class(sop_class: str) -> None:
    if not sop_class or sop_class in _IMAGE_CLASSES or sop_class == _DX_FOR_PROCESSING:
        return
    # The name comes from pydicom's dictionary; an unknown UID is not repeated.
    name = UID(sop_class).name if not UID(sop_class).is_private else ""
    told = name if name and name != sop_class else "not a class brixia-edge knows"
    raise UnsupportedImage(
        f"SOPClassUID is {told}; {', '.join(_IMAGE_CLASSES.values())} are allowed. "
        "Give the radiograph itself"
    )


def _check_modality(header: Header) -> None:
    modality = header.text("Modality")
    if modality in _OTHER_MODALITIES:
        raise UnsupportedImage(
            f"Modality is {modality}; CR and DX are allowed, and Secondary Captures of them. "
            "Give a chest radiograph"
        )


def _check_pixel_data(file: DicomFile) -> None:
    if file.cut_off:
        raise UnreadableImage(
            "PixelData of the DICOM file is cut off; copy the file again from its source"
        )
    if "PixelData" not in file.header:
        raise UnsupportedImage(
            "PixelData is missing from the DICOM file: it holds no image, or was cut off before "
            "it. Give the image file"
        )


def _check_frames(header: Header) -> None:
    frames = header.integer("NumberOfFrames")
    if frames is not None and frames > 1:
        raise UnsupportedImage(
            f"NumberOfFrames is {frames}; only single images are scored. Export the frame apart"
        )


def _check_presentation_intent(file: DicomFile) -> None:
    intent = file.header.text("PresentationIntentType")
    if intent == "FOR PROCESSING" or file.sop_class == _DX_FOR_PROCESSING:
        raise UnsupportedImage(
            "PresentationIntentType is FOR PROCESSING: raw detector data that nobody reads; "
            "FOR PRESENTATION is allowed. Give the processed image of the same exposure"
        )


def _check_body_part(header: Header) -> None:
    part = header.text("BodyPartExamined")
    other = _OTHER_PARTS.search(part)
    if other and not names_chest(header, "BodyPartExamined"):
        raise UnsupportedImage(
            f"BodyPartExamined is {other[0]}; BS-Net scores the chest only. "
            "Give a chest radiograph, or correct the element if it is wrong"
        )


def _modality_doubts(header: Header) -> tuple[str, ...]:
    if header.text("Modality") in _RADIOGRAPHY:
        return ()
    return ("Modality is none of CR and DX; the image may not be a radiograph",)


def _body_part_doubts(header: Header) -> tuple[str, ...]:
    if not header.text("BodyPartExamined") or names_chest(header, "BodyPartExamined"):
        return ()
    return ("BodyPartExamined does not say chest; the image may show another part",)


def _free_text_doubts(header: Header) -> tuple[str, ...]:
    texts = {keyword: header.text(keyword) for keyword in _FREE_TEXTS}
    is_chest = any(names_chest(header, keyword) for keyword in ("BodyPartExamined", *_FREE_TEXTS))
    return tuple(
        doubt for keyword, text in texts.items() for doubt in _word_doubts(keyword, text, is_chest)
    )


def _word_doubts(keyword: str, text: str, is_chest: bool) -> tuple[str, ...]:
    part, animal = _TOLD_PARTS.search(text), _ANIMALS.search(text)
    lateral = _LATERAL.search(text)
    doubts: list[str] = []
    if part and not is_chest:
        doubts.append(f"{keyword} mentions {part[0]}; the image may not show a chest")
    if animal:
        doubts.append(f"{keyword} mentions {animal[0]}; BS-Net scores human chests only")
    # "PA AND LATERAL" names a study of two images, of which this may be the frontal one.
    if lateral and not re.search(r"(?<![A-Z])(AP|PA|FRONTAL)(?![A-Z])", text):
        doubts.append(f"{keyword} mentions {lateral[0]}; BS-Net scores frontal views only")
    return tuple(doubts)


def _spacing_doubts(header: Header) -> tuple[str, ...]:
    """Tell of pixels that are not square (PS3.3 C.7.6.3.1.7, 10.7.1.1, C.8.11.4)."""
    for keyword in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing"):
        values = header.numbers(keyword)
        if len(values) == 2 and min(values) > 0 and max(values) / min(values) > 1.02:
            return (
                f"{keyword} says that pixels are not square ({max(values) / min(values):.2f} to 1)"
                "; the image is scored as stored, and is distorted",
            )
    return ()


def _presentation_doubts(header: Header) -> tuple[str, ...]:
    """Tell of pictures that some software made of a radiograph (PS3.3 C.8.6.1, C.7.6.1.1.2)."""
    derived = header.text("ImageType") == "DERIVED"
    captured = header.text("SOPClassUID") == _SECONDARY_CAPTURE
    conversion = header.text("ConversionType") if captured else ""
    burned_in = header.text("BurnedInAnnotation") == "YES"
    if burned_in and (captured or derived):
        what = "BurnedInAnnotation is YES"
    elif derived and conversion and conversion != _DIGITISED_FILM:
        what = "ImageType is DERIVED and there is a ConversionType"
    else:
        return ()
    return (f"{what}: the image may be a picture of another software's result, no radiograph",)
