"""Names of written files: always the same, never shared, and telling nothing."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from brixia_edge.runtime.radiograph import Radiograph
from brixia_edge.runtime.reports.output_names import output_stem
from brixia_edge.runtime.results import ScoredRadiograph

Builder = Callable[..., ScoredRadiograph]


def test_a_name_tells_neither_the_file_s_nor_the_uid(
    make_result: Builder, make_radiograph: Callable[..., Radiograph]
) -> None:
    radiograph = make_radiograph(form="DICOM", uid="1.2.840.1")
    stem = output_stem(make_result("DOE^JANE.dcm", radiograph))
    assert re.fullmatch("[0-9a-f]{16}", stem)


def test_files_of_one_name_get_names_of_their_own(make_result: Builder, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a/chest.png", "b/chest.png", "b/chest.jpg")]
    for keep_names in (False, True):
        stems = [output_stem(make_result(file), keep_names) for file in files]
        assert len(set(stems)) == 3
        assert output_stem(make_result(files[0]), keep_names) == stems[0]


@pytest.mark.parametrize("change", ["pixels", "uid"])
def test_a_name_cannot_be_worked_out_from_the_file_s_name(
    make_result: Builder, make_radiograph: Callable[..., Radiograph], change: str
) -> None:
    radiograph = make_radiograph(uid="1.2")
    other = {"codes": radiograph.codes // 2} if change == "pixels" else {"sop_instance_uid": "1"}
    result = make_result("chest.png", radiograph)
    changed = make_result("chest.png", replace(radiograph, **other))
    assert output_stem(result) != output_stem(changed)


def test_a_kept_name_is_shortened_to_what_file_systems_take(
    make_result: Builder, tmp_path: Path
) -> None:
    stem = output_stem(make_result("ä" * 120 + ".png"), keep_names=True)
    assert stem.startswith("ä" * 48 + "-")
    (tmp_path / f"{stem}-overlay.png").write_bytes(b"")
