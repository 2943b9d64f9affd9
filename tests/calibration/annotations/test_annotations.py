"""Annotations are told by their columns, and a wrong row costs only itself."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.calibration.annotations.annotations import AnnotationTable, read_annotations
from brixia_edge.runtime.errors import AnnotationsError

PUBLIC = "filename,S-A,S-B,S-C,S-D,S-E,S-F,S-Global,J-A,J-B,J-C,J-D,J-E,J-F,J-Global"
METADATA = (
    "filename,StudyDate,Modality,StudyId,BrixiaScore,BrixiaScoreGlobal,"
    "ConsensusTestset,Subject,Sex,AgeAtStudyDateFiveYear"
)
CONSENSUS = (
    "filename,MeanA,MeanB,MeanC,MeanD,MeanE,MeanF,S-Global,"
    "ModeA,ModeB,ModeC,ModeD,ModeE,ModeF,J-Global"
)

Reader = Callable[..., AnnotationTable]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read a file of these lines."""

    def write(*lines: str, encoding: str = "utf-8") -> AnnotationTable:
        path = tmp_path / "annotations.csv"
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return read_annotations(path)

    return write


def test_the_public_form_has_two_readers_and_a_byte_order_mark(read: Reader) -> None:
    table = read(PUBLIC, "a.jpg,0,1,2,3,2,1,9,1,1,2,3,2,1,10", encoding="utf-8-sig")
    (annotation,) = table.annotations
    assert (table.form, table.readers, annotation.file) == ("public", ("S", "J"), "a.jpg")
    assert annotation.readings["S"].scores.tolist() == [0, 1, 2, 3, 2, 1]
    assert annotation.readings["J"].values.tolist() == [1, 1, 2, 3, 2, 1]
    assert annotation.patient is None
    assert not table.rejected
    assert not table.warnings


def test_a_reader_need_not_have_seen_every_image(read: Reader) -> None:
    table = read(PUBLIC, "a.jpg,0,1,2,3,2,1,9,,,,,,,", "b.jpg,0,0,0,0,0,0,0,1,0,0,0,0,0,1")
    assert [set(entry.readings) for entry in table.annotations] == [{"S"}, {"S", "J"}]
    assert not table.rejected


@pytest.mark.parametrize(
    ("digits", "zones"),
    [("233101", [2, 3, 3, 1, 0, 1]), ("12", [0, 0, 0, 0, 1, 2]), ("0", [0] * 6)],
)
def test_lost_leading_zeros_come_back(read: Reader, digits: str, zones: list[int]) -> None:
    row = f"1.dcm,20200401,CR,7,{digits},{sum(zones)},1,patient-9,F,65"
    table = read(METADATA, row)
    (annotation,) = table.annotations
    assert annotation.readings["radiologist"].scores.tolist() == zones
    assert annotation.patient == "patient-9"
    assert annotation.attributes == {
        "modality": "CR",
        "sex": "F",
        "age group": "65-79",
        "consensus test set": "yes",
    }
    assert not table.warnings


def test_a_global_score_that_is_not_the_sum_is_told_and_the_zones_are_used(read: Reader) -> None:
    table = read(METADATA, "1.dcm,20200401,CR,7,111111,7,0,p,M,40")
    assert table.warnings == (
        "row 2 (1.dcm): BrixiaScoreGlobal is 7, but its zones sum to 6; the zones are used",
    )
    assert table.annotations[0].readings["radiologist"].scores.sum() == 6


def test_a_consensus_has_means_and_modes(read: Reader) -> None:
    table = read(CONSENSUS, "1.dcm,0.2,1,1.8,2.4,3,0,8.4,0,1,2,2,3,0,8")
    (annotation,) = table.annotations
    reading = annotation.readings["consensus"]
    assert reading.scores.tolist() == [0, 1, 2, 2, 3, 0]
    np.testing.assert_allclose(reading.values, [0.2, 1, 1.8, 2.4, 3, 0])
    assert not table.warnings


def test_the_generic_form_has_one_row_for_each_reader(read: Reader) -> None:
    table = read(
        "reader;patient;projection;filename;A;B;C;D;E;F;age;note",
        "Anna;1;ap;x.png;0;1;2.0;3;2;1;81;seen twice",
        "Bo;1;ap;x.png;0;1;2;3;2;0;81;",
        "Anna;2;PA;y.png;0;0;0;0;0;0;?;",
    )
    assert (table.form, table.readers) == ("generic", ("Anna", "Bo"))
    first, second = table.annotations
    assert first.readings["Anna"].scores.tolist() == [0, 1, 2, 3, 2, 1]
    assert first.attributes == {"projection": "AP", "age group": "80+"}
    assert second.attributes == {"projection": "PA"}
    assert [entry.patient for entry in table.annotations] == ["1", "2"]
    assert table.warnings == (
        "row 4 (y.png): age '?' is no number of years; the row belongs to no age group",
    )


def test_wrong_rows_are_named_with_their_reason_and_passed_over(read: Reader) -> None:
    table = read(
        PUBLIC,
        "a.jpg,0,1,2,4,2,1,9,1,1,2,3,2,1,10",
        ",0,1,2,3,2,1,9,1,1,2,3,2,1,10",
        "b.jpg,0,1,2,1.5,2,1,9,,,,,,,",
        "c.jpg",
        "d.jpg,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
        "d.jpg,3,3,3,3,3,3,18,,,,,,,",
    )
    assert [entry.file for entry in table.annotations] == ["a.jpg", "d.jpg"]
    assert set(table.annotations[0].readings) == {"J"}
    assert table.rows == 6
    assert table.rejected == (
        "row 2 (a.jpg): reader S has the zones 0, 1, 2, 4, 2, 1; 0, 1, 2 and 3 are allowed",
        "row 3: has no filename",
        "row 4 (b.jpg): reader S has the zones 0, 1, 2, 1.5, 2, 1; 0, 1, 2 and 3 are allowed",
        "row 5 (c.jpg): has no scores",
        "row 7 (d.jpg): an earlier row has reader S's scores of this file; it is used",
    )
    with pytest.raises(AnnotationsError, match=r"row 2 \(a.jpg\)"):
        table.scores_of_first_reader()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "hold no row"),
        (b"filename,S-A\nx,1\n", "allowed are metadata: filename, BrixiaScore"),
        (b"filename,S-A,S-B,S-C,S-D,S-E,S-F\nx,1,1,1,1,1,4\n", "0, 1, 2 and 3 are allowed"),
        (b"filename,BrixiaScore\nx,1234567\n", "BrixiaScore is '1234567'; six digits"),
        (b"filename,BrixiaScore\nx,\n", r"row 2 \(x\): has no scores"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_annotations_that_cannot_be_used_are_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "annotations.csv"
    path.write_bytes(content)
    with pytest.raises(AnnotationsError, match=reason):
        read_annotations(path)


def test_the_real_file_is_read_whole(shared: Callable[[str], Path]) -> None:
    path = shared("cohen/annotations.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    table = read_annotations(path)
    assert (table.form, table.readers) == ("public", ("S", "J"))
    assert [entry.file for entry in table.annotations] == [row["filename"] for row in rows]
    scores = table.scores_of_first_reader()
    for row in rows:
        assert scores[row["filename"]].sum() == int(row["S-Global"])
