"""What a DICOM header tells of the view: frontal and upright, or lateral, turned, mirrored.

Each doubt is one sentence. A code or a letter is repeated, since the standard lists it; a code's
meaning is a free text, which may name the patient, and is not.

Two groups of elements are left alone. Field of View Rotation and Horizontal Flip (PS3.3 C.8.11.4)
tell how the stored pixels lie on the detector: a wanted correction as often as a fault, and Patient
Orientation already counts it in. Image Laterality (C.8.11.2) is filled in by habit for chests too.
"""

import re

from .header import Header

_VIEWS = {
    "LL": "a left lateral view",
    "RL": "a right lateral view",
    "LATERAL": "a lateral view",
    "LAT": "a lateral view",
    "LLD": "a lateral decubitus view",
    "RLD": "a lateral decubitus view",
    "LLO": "an oblique view",
    "RLO": "an oblique view",
    "LAO": "an oblique view",
    "RAO": "an oblique view",
    "LPO": "an oblique view",
    "RPO": "an oblique view",
    "OBLIQUE": "an oblique view",
}
"""Values of View Position (PS3.3 C.8.1.1, C.8.11.5) that are not frontal, and their like."""

_SNOMED = ("SCT", "SRT", "SNM3", "99SDM")
"""Coding schemes whose codes are known here: SNOMED's, by number and in the older form."""

_FRONTAL_CODES = frozenset(
    ("399033003", "R-10202", "399348003", "R-10206", "272479007", "R-10214", "R-40888")
)
"""Frontal, antero-posterior and postero-anterior projection, of PS3.16 CID 4010."""

_VIEW_CODES = {
    "399067008": "a lateral view",
    "R-102CD": "a lateral view",
    "399173006": "a left lateral view",
    "R-10236": "a left lateral view",
    "399198007": "a right lateral view",
    "R-10232": "a right lateral view",
}

_CHEST_CODES = frozenset(
    (
        *("816094009", "51185008", "T-D3000", "43799004", "T-D3200"),  # chest, thorax, within it
        *("39607008", "T-28000", "86598002", "T-280A0"),  # lung, its apex
        *("416550000", "R-FAB55", "416775004", "R-FAB56"),  # chest with abdomen, with pelvis
        *("417437006", "R-FAB52", "416152001", "R-FAB53", "416319003", "R-FAB54"),  # with neck
        *("113197003", "T-11300", "56873002", "T-11210"),  # rib, sternum
        *("72410000", "T-D3300", "80891009", "T-32000"),  # mediastinum, heart
    )
)
"""Codes of PS3.16 CID 4031 (and CID 4 before it) for what a chest radiograph shows."""

_CODE = re.compile(r"[A-Z0-9-]{1,16}")

_DIRECTION = re.compile(r"[APLRHF]{1,3}")

_BEDSIDE = re.compile(r"PORTABLE|BEDSIDE|MOBILE|BEDRIDDEN|A LETTO")
_BEDSIDE_TEXTS = (
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "PerformedProcedureStepDescription",
    "AcquisitionDeviceProcessingDescription",
)

_LYING = {
    "RF": "mirrored, left for right",
    "RH": "turned by 180 degrees",
    "LH": "upside down and mirrored",
    "FL": "turned by 90 degrees and mirrored",
    "FR": "turned by 90 degrees",
    "HL": "turned by 90 degrees",
    "HR": "turned by 90 degrees and mirrored",
}
"""First letters of rows' and columns' direction; an upright frontal image has L and F."""


def view_doubts(header: Header) -> tuple[str, ...]:
    """Tell what in the header speaks against an upright frontal view of a human chest."""
    return (
        *_position_doubts(header),
        *_view_code_doubts(header),
        *_orientation_doubts(header),
        *_region_code_doubts(header),
        *_species_doubts(header),
    )


def told_modality(header: Header) -> str:
    """Give the Modality (PS3.3 C.7.3.1) as one of `radiograph.MODALITIES`."""
    modality = header.text("Modality")
    return modality if modality in ("CR", "DX") else "other"


def told_projection(header: Header) -> str:
    """Give the projection as one of `radiograph.PROJECTIONS`.

    Tags lie, so the plainest statement comes first: of a bedside image any text may tell.
    """
    if any(_BEDSIDE.search(header.text(keyword)) for keyword in _BEDSIDE_TEXTS):
        return "bedside"
    view = header.text("ViewPosition")
    return view if view in ("AP", "PA") else "unknown"


def _position_doubts(header: Header) -> tuple[str, ...]:
    view = header.text("ViewPosition")
    if view not in _VIEWS:
        return ()
    return (f"ViewPosition is {view}, {_VIEWS[view]}; BS-Net scores frontal views only",)


def _view_code_doubts(header: Header) -> tuple[str, ...]:
    """Judge View Code Sequence (PS3.3 C.8.11.5), where it is coded in SNOMED."""
    return tuple(
        f"ViewCodeSequence is {code}, {_VIEW_CODES.get(code, 'not a frontal view')}; "
        "BS-Net scores frontal views only"
        for code in _snomed_codes(header, "ViewCodeSequence")
        if code not in _FRONTAL_CODES
    )


def _region_code_doubts(header: Header) -> tuple[str, ...]:
    """Judge Anatomic Region Sequence (PS3.3 C.8.11.2), where it is coded in SNOMED."""
    return tuple(
        f"AnatomicRegionSequence is {code}, none of the codes for a chest; "
        "the image may show another part"
        for code in _snomed_codes(header, "AnatomicRegionSequence")
        if code not in _CHEST_CODES
    )


def _snomed_codes(header: Header, keyword: str) -> tuple[str, ...]:
    items = header.items(keyword)
    codes = (item.text("CodeValue") for item in items if _is_snomed(item))
    return tuple(code for code in codes if _CODE.fullmatch(code))


def _is_snomed(item: Header) -> bool:
    return item.text("CodingSchemeDesignator") in _SNOMED


def _orientation_doubts(header: Header) -> tuple[str, ...]:
    """Judge Patient Orientation (PS3.3 C.7.6.1.1.1): where rows run to, then where columns do."""
    directions = header.texts("PatientOrientation")[:2]
    if not all(map(_DIRECTION.fullmatch, directions)):
        return ()
    letters = "".join(direction[0] for direction in directions)
    # Rows or columns that run towards the patient's front or back: no frontal view.
    if directions and letters[0] in "AP":
        return ("PatientOrientation says lateral view; BS-Net scores frontal views only",)
    if letters[1:] in ("A", "P"):
        return ("PatientOrientation says no frontal view; BS-Net scores frontal views only",)
    if letters in _LYING:
        return (
            f"PatientOrientation is {directions[0]}, {directions[1]}: the image is "
            f"{_LYING[letters]}; L, F is an upright frontal view, so zones may be taken for others",
        )
    return ()


def _species_doubts(header: Header) -> tuple[str, ...]:
    """Judge Anatomical Orientation Type (PS3.3 C.7.3.1) and Patient Species (C.7.1.1)."""
    quadruped = header.text("AnatomicalOrientationType") == "QUADRUPED"
    species = header.text("PatientSpeciesDescription")
    if quadruped or not re.search(r"^$|HUMAN|HOMO SAPIENS", species):
        return ("The header tells of an animal; BS-Net scores human chests only",)
    return ()
