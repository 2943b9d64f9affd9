"""`inspect` of an image: every step in words and pictures, and nothing of whose it is."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import UnsupportedImage
from brixia_edge.runtime.inspection.image_inspection import (
    inspect_image,
    inspection_lines,
    preview_strip,
)
from brixia_edge.runtime.preparation.preprocess import RECIPES, PreprocessSpec, preparation_steps
from brixia_edge.runtime.reading.options import ReadingOptions

DicomMaker = Callable[..., bytes]
Capture = pytest.CaptureFixture[str]

SPEC = PreprocessSpec("equalize")
STORED = np.arange(1024, dtype=np.uint16).reshape(32, 32)


@pytest.fixture
def turned_file(make_dicom: DicomMaker, tmp_path: Path) -> Path:
    """A file of which every stage changes something."""
    content = make_dicom(
        STORED,
        BitsStored=10,
        HighBit=9,
        PhotometricInterpretation="MONOCHROME1",
        RescaleSlope=2,
        RescaleIntercept=-100,
        WindowCenter=[900, 400],
        WindowWidth=[2000, 500],
        PixelPaddingValue=3,
        ShutterShape="RECTANGULAR",
        ShutterUpperHorizontalEdge=1,
        ShutterLowerHorizontalEdge=30,
        ShutterLeftVerticalEdge=1,
        ShutterRightVerticalEdge=32,
    )
    path = tmp_path / "file.dcm"
    path.write_bytes(content)
    return path


def test_every_step_is_told_in_order(turned_file: Path) -> None:
    told = "\n".join(inspection_lines(inspect_image(turned_file, SPEC)))
    steps = (
        *("decoded", "rescaled", "window 900 / 2000", "inverted", "PixelPaddingValue", "shutter"),
        *("resized to 512 x 512", "4096 grey levels", "RESEARCH USE ONLY"),
    )
    places = [told.index(step) for step in steps]
    assert places == sorted(places)
    assert "SECRET" not in told


def test_there_is_a_picture_of_each_stage(turned_file: Path) -> None:
    inspection = inspect_image(turned_file, SPEC)
    assert [(picture.name, picture.range) for picture in inspection.pictures] == [
        ("stored values", "0 to 1023, shown black to white"),
        ("after the modality stage", "-100 to 1946, shown black to white"),
        ("after the window", "0 to 1"),
        ("after polarity", "0 to 1"),
        ("without padding", "0 to 1"),
        ("after the shutter", "0 to 1"),
        ("network input", "0 to 1"),
    ]
    stored, turned = inspection.pictures[0].shades, inspection.pictures[3].shades
    assert stored[0, 0] < stored[-1, -1]
    assert turned[0, 0] > turned[-1, -1]
    shut = inspection.pictures[5].shades
    assert not shut[-15:].any()
    assert preview_strip(inspection).shape[1] > sum(
        picture.shades.shape[1] for picture in inspection.pictures
    )


def test_stages_that_change_nothing_have_no_picture(chest_png: Path) -> None:
    inspection = inspect_image(chest_png, SPEC)
    assert [picture.name for picture in inspection.pictures] == ["as decoded", "network input"]
    assert inspection.radiograph.steps == ("decoded as 8-bit grey", "divided by 255")


def test_the_window_that_is_chosen_is_explained(turned_file: Path, chest_png: Path) -> None:
    inspection = inspect_image(turned_file, SPEC, ReadingOptions(window=2))
    assert any(
        "window 400 / 500 LINEAR, number 2 of 2" in step for step in inspection.radiograph.steps
    )
    with pytest.raises(UnsupportedImage, match="has no window 2"):
        inspect_image(chest_png, SPEC, ReadingOptions(window=2))


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_is_explained(recipe: str) -> None:
    assert len(preparation_steps(PreprocessSpec(recipe))) > 1
    assert "512 x 512" in preparation_steps(PreprocessSpec(recipe))[0]


def test_command_explains_and_writes_the_strip(
    turned_file: Path, tmp_path: Path, capsys: Capture
) -> None:
    preview = tmp_path / "strip.png"
    arguments = ["inspect", str(turned_file), "--window", "2", "--preview", str(preview)]
    assert main([*arguments, "--format", "json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert (entries["rows"], entries["columns"]) == (32, 32)
    assert "window 400 / 500 LINEAR, number 2 of 2 (PS3.3 C.11.2.1.2.1)" in entries["steps"]
    strip = cv2.imread(str(preview))
    assert strip is not None
    assert strip.shape[1] > 6 * 300


def test_what_is_no_image_is_told(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no image")
    assert main(["inspect", str(path)]) == 1
    assert "is not a DICOM, PNG or JPEG file" in capsys.readouterr().err


def test_options_for_images_are_refused_for_bundles(tmp_path: Path, capsys: Capture) -> None:
    assert main(["inspect", "--window", "1", str(tmp_path)]) == 2
    assert "are for an image" in capsys.readouterr().err


def test_strip_that_cannot_be_written_is_told(
    chest_png: Path, tmp_path: Path, capsys: Capture
) -> None:
    preview = tmp_path / "absent" / "strip.png"
    assert main(["inspect", str(chest_png), "--preview", str(preview)]) == 2
    assert "strip.png cannot be written: there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("isolate", ["--isolate", "--no-isolate"])
def test_score_takes_the_window_too(
    turned_file: Path, tiny_bundle: Bundle, capsys: Capture, isolate: str
) -> None:
    command = ["score", str(turned_file), "--bundle", str(tiny_bundle.root), isolate]
    assert main([*command, "--window", "2"]) == 0
    assert main([*command, "--window", "3"]) == 1
    assert "none of number 3; 1 to 2 are allowed" in capsys.readouterr().err
