"""An export makes reference histograms of the radiographs that it is given."""

from pathlib import Path

import pytest
from brixia_edge.export import reference_histograms as reference
from brixia_edge.export.precision.evidence import EvidenceOptions
from brixia_edge.export.reference_histograms import reference_files, with_reference
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import CalibrationError


@pytest.fixture
def folders(tmp_path: Path) -> EvidenceOptions:
    """Twenty files to calibrate on and twenty to measure on; they are never decoded."""
    for name in ("calibration", "images"):
        (tmp_path / name).mkdir()
        for number in range(20):
            (tmp_path / name / f"{number}.png").touch()
    return EvidenceOptions(tmp_path / "calibration", tmp_path / "images")


def test_all_radiographs_of_both_folders_count(
    tiny_bundle: Bundle, folders: EvidenceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Path] = []

    def add_reference(bundle: Bundle, files: tuple[Path, ...], *_: object) -> Bundle:
        given.extend(files)
        return bundle

    monkeypatch.setattr(reference, "add_reference", add_reference)
    assert with_reference(tiny_bundle, folders) == (tiny_bundle, None)
    assert len(set(given)) == 40


def test_too_few_radiographs_leave_the_bundle_as_it_is(
    tiny_bundle: Bundle, folders: EvidenceOptions
) -> None:
    bundle, why = with_reference(tiny_bundle, EvidenceOptions(images=folders.images))
    assert bundle == tiny_bundle
    assert why == "reference histograms need 30 radiographs, not 20"


def test_unusable_radiographs_leave_the_bundle_as_it_is(
    tiny_bundle: Bundle, folders: EvidenceOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Bundle:
        raise CalibrationError("0 of 40 files are usable")

    monkeypatch.setattr(reference, "add_reference", refuse)
    assert with_reference(tiny_bundle, folders) == (tiny_bundle, "0 of 40 files are usable")


def test_a_table_is_no_folder_of_radiographs(tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "table.json").touch()
    where = EvidenceOptions(calibration=tmp_path / "table.json")
    assert reference_files(where) == ()
    assert with_reference(tiny_bundle, where) == (tiny_bundle, None)
