"""What is told of a radiograph, and which files are passed over."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.calibration.choosing import survey as survey_module
from brixia_edge.calibration.choosing.description import Description, average_hash, describe
from brixia_edge.calibration.choosing.selection import SAME_RADIOGRAPH
from brixia_edge.calibration.choosing.survey import SurveyOptions, survey
from brixia_edge.runtime.backends import open_session
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.preparation.preprocess import preprocess
from brixia_edge.runtime.reading.read import read_radiograph
from brixia_edge.runtime.scorer import Scorer
from brixia_edge.runtime.sources.source import prepare_file
from numpy.typing import NDArray

Describe = Callable[[Path], Description]
Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]
Write = Callable[..., Path]


@pytest.fixture
def describe_file(tiny_bundle: Bundle) -> Describe:
    """Describe a file with the tiny bundle."""

    def run(file: Path) -> Description:
        with open_session(tiny_bundle, "onnxruntime") as session:
            return describe(prepare_file(file, tiny_bundle.manifest.preprocess), session)

    return run


@pytest.fixture
def lone_dicom(write_dicom: Write, chest_picture: Draw, tmp_path: Path) -> Write:
    """Write a DICOM file with the elements given."""

    def write(**elements: str) -> Path:
        return write_dicom(tmp_path / "chest.dcm", chest_picture(1), **elements)

    return write


def test_a_description_tells_what_scoring_gives(
    describe_file: Describe, tiny_bundle: Bundle, chest_png: Path
) -> None:
    found = describe_file(chest_png)
    with Scorer(tiny_bundle, "onnxruntime") as scorer:
        scored = scorer.score(chest_png)
    image = preprocess(read_radiograph(chest_png), tiny_bundle.manifest.preprocess)
    assert found.severity == scored.score.expected_global
    assert found.global_score == scored.score.global_score
    assert found.lung_area == np.mean(scored.prediction.lung_mask > 0.5)
    assert found.brightness == scored.radiograph.pixels.mean()
    assert found.contrast == scored.radiograph.pixels.std()
    assert found.doubts == scored.quality.warnings
    assert found.sha256 == hashlib.sha256(chest_png.read_bytes()).hexdigest()
    assert found.prepared_sha256 == hashlib.sha256(image.tobytes()).hexdigest()
    assert found.kind == "PNG unknown"


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"Modality": "CR", "ViewPosition": "AP"}, "CR AP"),
        ({"Modality": "DX", "ViewPosition": "PA"}, "DX PA"),
        (
            {"Modality": "DX", "ViewPosition": "AP", "StudyDescription": "Chest portable"},
            "DX bedside",
        ),
        (
            {"Modality": "CR", "ViewPosition": "", "SeriesDescription": "torace a letto"},
            "CR bedside",
        ),
        ({"Modality": "OT", "ViewPosition": "LL"}, "other unknown"),
        ({"Modality": "CR"}, "CR unknown"),
    ],
)
def test_dicom_tags_tell_the_kind(
    describe_file: Describe, lone_dicom: Write, tags: dict[str, str], kind: str
) -> None:
    assert describe_file(lone_dicom(**tags)).kind == kind


def test_the_same_picture_in_other_files_has_nearly_the_same_hash(
    tiny_bundle: Bundle, chest_picture: Draw, write_png: Write
) -> None:
    def hash_of(picture: Picture, path: Path) -> NDArray[np.bool_]:
        prepared = preprocess(read_radiograph(write_png(path, picture)), spec)
        return average_hash(prepared[0, 0])

    spec, folder = tiny_bundle.manifest.preprocess, tiny_bundle.root.parent
    picture = chest_picture(3)
    smaller = np.asarray(cv2.resize(picture, (300, 280), interpolation=cv2.INTER_AREA), np.uint8)
    darker = (255 * (picture / 255) ** 1.4).astype(np.uint8)
    original = hash_of(picture, folder / "a.png")
    for copy in (smaller, darker):
        assert np.count_nonzero(original != hash_of(copy, folder / "b.png")) <= SAME_RADIOGRAPH
    other = hash_of(chest_picture(4), folder / "c.png")
    assert np.count_nonzero(original != other) > SAME_RADIOGRAPH


def test_a_survey_sorts_out_what_cannot_be_used(
    tiny_bundle: Bundle,
    chest_folder: Path,
    lone_dicom: Write,
    write_png: Write,
) -> None:
    (chest_folder / "cut.png").write_bytes((chest_folder / "00.png").read_bytes()[:900])
    (chest_folder / "copy.png").write_bytes((chest_folder / "01.png").read_bytes())
    write_png(chest_folder / "blank.png", np.full((300, 300), 128, np.uint8))
    colour = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    (chest_folder / "colour.png").write_bytes(cv2.imencode(".png", colour)[1].tobytes())
    lone_dicom(ViewPosition="LL").rename(chest_folder / "lateral.dcm")
    found = survey(tiny_bundle, sorted(chest_folder.iterdir()))
    passed = {entry.file.name: entry for entry in found.passed_over}
    kinds = {name: entry.kind for name, entry in passed.items()}
    copies = {"copy.png", "01.png"} & kinds.keys()
    assert len(copies) == 1
    assert kinds == dict.fromkeys(copies, "duplicate") | {
        "cut.png": "unreadable",
        "colour.png": "unreadable",
        "blank.png": "doubtful",
        "lateral.dcm": "doubtful",
    }
    assert "in colour" in passed["colour.png"].reason
    assert "lateral view" in passed["lateral.dcm"].reason
    assert len(found.usable) == 20
    assert found.found == 25
    assert found.counts() == {"unreadable": 2, "doubtful": 2, "duplicate": 1}
    generous = survey(
        tiny_bundle, sorted(chest_folder.iterdir()), SurveyOptions(allow_doubtful=True)
    )
    assert len(generous.usable) == 21  # the lateral view repeats 01.png


def test_of_very_many_files_some_are_drawn(
    tiny_bundle: Bundle, chest_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey_module, "MAXIMUM_CANDIDATES", 6)
    files = sorted(chest_folder.iterdir())
    first = survey(tiny_bundle, files, SurveyOptions(seed=1))
    again = survey(tiny_bundle, files[::-1], SurveyOptions(seed=1))
    assert first.counts() == {"not drawn": 14}
    assert [entry.sha256 for entry in first.usable] == [entry.sha256 for entry in again.usable]
