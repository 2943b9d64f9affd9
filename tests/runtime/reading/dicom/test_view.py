"""View: what the header says of how the patient lies in the image is told, and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from brixia_edge.runtime.reading.dicom.reader import radiograph_from_dicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

DicomMaker = Callable[..., bytes]

RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8)


def coded(value: str, scheme: str = "SCT", meaning: str = "SECRET") -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def warnings_of(make_dicom: DicomMaker, **elements: object) -> tuple[str, ...]:
    return radiograph_from_dicom(make_dicom(RAMP, **elements)).warnings


@pytest.mark.parametrize(
    ("orientation", "told"),
    [
        (["R", "F"], "PatientOrientation is R, F: the image is mirrored, left for right;"),
        (["R", "H"], "the image is turned by 180 degrees"),
        (["L", "H"], "the image is upside down and mirrored"),
        (["F", "R"], "the image is turned by 90 degrees;"),
        (["H", "L"], "the image is turned by 90 degrees;"),
        (["F", "L"], "the image is turned by 90 degrees and mirrored"),
        (["HL", "RH"], "PatientOrientation is HL, RH: the image is turned by 90 degrees and"),
        (["A", "F"], "PatientOrientation says lateral view"),
        (["PL", "F"], "PatientOrientation says lateral view"),
        (["L", "P"], "PatientOrientation says no frontal view"),
        (["H", "A"], "PatientOrientation says no frontal view"),
    ],
)
def test_orientation_other_than_upright_is_told(
    make_dicom: DicomMaker, orientation: list[str], told: str
) -> None:
    (warning,) = warnings_of(make_dicom, PatientOrientation=orientation)
    assert told in warning


@pytest.mark.parametrize("orientation", [["L", "F"], ["LH", "FL"], "", ["L", ""], ["LE", "CD"]])
def test_upright_or_unknown_orientation_is_not_doubted(
    make_dicom: DicomMaker, orientation: object
) -> None:
    assert warnings_of(make_dicom, PatientOrientation=orientation) == ()


@pytest.mark.parametrize("view", ["LAO", "RPO", "OBLIQUE", "LLD"])
def test_view_that_is_not_frontal_is_told(make_dicom: DicomMaker, view: str) -> None:
    (warning,) = warnings_of(make_dicom, ViewPosition=view)
    assert warning.startswith(f"ViewPosition is {view}, ")


@pytest.mark.parametrize(
    ("view", "told"),
    [
        (("399173006",), "ViewCodeSequence is 399173006, a left lateral view"),
        (("R-10232", "SRT"), "a right lateral view"),
        (("399110001",), "ViewCodeSequence is 399110001, not a frontal view"),
    ],
)
def test_view_code_that_is_not_frontal_is_told_without_its_meaning(
    make_dicom: DicomMaker, view: tuple[str, ...], told: str
) -> None:
    (warning,) = warnings_of(make_dicom, ViewCodeSequence=coded(*view))
    assert told in warning
    assert "SECRET" not in warning


@pytest.mark.parametrize(
    "view", [("272479007",), ("R-10206", "SRT"), ("7", "99SECRET"), ("SECRET PERSON",)]
)
def test_view_code_that_is_frontal_or_unknown_is_not_doubted(
    make_dicom: DicomMaker, view: tuple[str, ...]
) -> None:
    assert warnings_of(make_dicom, ViewCodeSequence=coded(*view)) == ()


def test_region_code_other_than_a_chest_is_told(make_dicom: DicomMaker) -> None:
    (warning,) = warnings_of(make_dicom, AnatomicRegionSequence=coded("72696002"))
    assert "AnatomicRegionSequence is 72696002, none of the codes for a chest" in warning


@pytest.mark.parametrize("region", [("816094009",), ("T-D3000", "SRT"), ("51185008",)])
def test_region_code_of_a_chest_is_not_doubted(
    make_dicom: DicomMaker, region: tuple[str, ...]
) -> None:
    assert warnings_of(make_dicom, AnatomicRegionSequence=coded(*region)) == ()


@pytest.mark.parametrize(
    "elements",
    [{"AnatomicalOrientationType": "QUADRUPED"}, {"PatientSpeciesDescription": "Canis SECRET"}],
)
def test_an_animal_is_told(make_dicom: DicomMaker, elements: dict[str, str]) -> None:
    (warning,) = warnings_of(make_dicom, **elements)
    assert warning == "The header tells of an animal; BS-Net scores human chests only"


@pytest.mark.parametrize("species", ["", "HUMAN", "Homo sapiens"])
def test_a_human_is_not_doubted(make_dicom: DicomMaker, species: str) -> None:
    assert warnings_of(make_dicom, PatientSpeciesDescription=species) == ()


def test_how_the_detector_lay_is_not_judged(make_dicom: DicomMaker) -> None:
    elements = {"FieldOfViewRotation": 180, "FieldOfViewHorizontalFlip": "YES"}
    assert warnings_of(make_dicom, **elements) == ()
