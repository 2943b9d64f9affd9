"""Annotations are read as spreadsheets write them, and no cell takes another row's scores."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.calibration.annotations import cells
from brixia_edge.calibration.annotations.annotations import AnnotationTable, read_annotations
from brixia_edge.runtime.errors import AnnotationsError

Read = Callable[[str | bytes], AnnotationTable]

HEADER = "filename,A,B,C,D,E,F,note"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a file with this content."""

    def write(content: str | bytes) -> AnnotationTable:
        path = tmp_path / "annotations.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_annotations(path)

    return write


def scores(table: AnnotationTable) -> dict[str, str]:
    """Zone scores by file, as digits."""
    return {
        file: "".join(map(str, found)) for file, found in table.scores_of_first_reader().items()
    }


@pytest.mark.parametrize(
    "content",
    [
        f'{HEADER}\na,0,1,2,3,2,1,"not closed\nb,3,3,3,3,3,3,\n',
        f'{HEADER}\na,0,1,2,3,2,1,"not closed\nb,3,3,3,3,3,3,\nc,1,1,1,1,1,1,"also"\n',
        f'{HEADER}\na,0,1,2,3,2,1,"not closed\nb,3,3,3,3,3,3,closed late"\nc,1,1,1,1,1,1,\n',
        f'{HEADER}\na,"0,1,2,3,2,1,x\nb,3",3,3,3,3,3,\n',
        f'{HEADER}\n"a,0,1,2,3,2,1,x\nb,3,3,3,3,3,3,\nc,1,1,1,1,1,1,"\nd,0,0,0,0,0,0,\n',
        'filename,A,B,C,D,E,F,"note\nb,3,3,3,3,3,3,"\nc,1,1,1,1,1,1,\n',
    ],
    ids=["to the end", "to a quote", "to a later row", "two rows as one", "several", "the header"],
)
def test_a_quote_that_is_not_closed_is_refused(read: Read, content: str) -> None:
    with pytest.raises(AnnotationsError, match=r"row [123]: .*quote"):
        read(content)


def test_a_cell_in_quotes_may_have_lines_of_its_own(read: Read) -> None:
    table = read(f'{HEADER}\na,0,1,2,3,2,1,"first, second\nthird, ""fourth"""\nb,3,3,3,3,3,3,x\n')
    assert scores(table) == {"a": "012321", "b": "333333"}
    assert table.rejected == ()


def test_a_file_name_may_break_where_it_holds_no_separator(read: Read) -> None:
    table = read(f'{HEADER}\n"two\nlines.png",0,1,2,3,2,1,x\nb,3,3,3,3,3,3,x\n')
    assert scores(table) == {"two\nlines.png": "012321", "b": "333333"}
    with pytest.raises(AnnotationsError, match="close the quote"):
        read(f'{HEADER}\n"a,0,0,0,0,0,0,x\nlines.png",0,1,2,3,2,1,x\n')


@pytest.mark.parametrize(
    "character", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"], ids=ascii
)
def test_only_line_ends_end_a_row(read: Read, character: str) -> None:
    table = read(f"{HEADER}\na,0,1,2,3,2,1,x{character}b,3,3,3,3,3,3,\nc,1,1,1,1,1,1,\n")
    assert scores_of_all(table) == {"c"}
    assert table.rejected == (
        "row 2 (a): has more cells than there are columns; put a cell that holds a separator into "
        "quotes",
    )
    within = read(f"{HEADER}\na,0,1,2,3,2,1,before{character}after\nc,1,1,1,1,1,1,\n")
    assert scores(within) == {"a": "012321", "c": "111111"}


def scores_of_all(table: AnnotationTable) -> set[str]:
    """The files that have scores, whatever was rejected."""
    return {entry.file for entry in table.annotations}


def test_a_carriage_return_within_a_line_is_refused(read: Read) -> None:
    with pytest.raises(AnnotationsError, match="row 2: a line ends within a cell"):
        read(f"{HEADER}\na,0,1,2,3,2,1,x\rb,3,3,3,3,3,3,\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
def test_every_systems_line_ends_are_read(read: Read, end: str) -> None:
    table = read(end.join((HEADER, "a,0,1,2,3,2,1,x", "", "b,3,3,3,3,3,9,x")))
    assert scores_of_all(table) == {"a"}
    assert table.rejected[0].startswith("row 4 (b): ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_unicode_of_spreadsheets_is_read(read: Read, encoding: str) -> None:
    content = "filename\tA\tB\tC\tD\tE\tF\treader\nRöntgen.dcm\t0\t1\t2\t3\t2\t1\tŁucja\n"
    table = read(content.encode(encoding))
    assert table.readers == ("Łucja",)
    assert scores(table) == {"Röntgen.dcm": "012321"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (codecs.BOM_UTF16_LE + HEADER.encode("utf-16-le")[:-1], "utf-16"),
        ("filename;A\nRöntgen;1\n".encode("latin-1"), "byte 12 is no utf-8"),
        (f"{HEADER}\na\0,0,1,2,3,2,1,\n".encode(), "zero bytes"),
        (HEADER.encode("utf-32"), "zero bytes"),
    ],
)
def test_what_is_no_text_is_refused(read: Read, content: bytes, reason: str) -> None:
    with pytest.raises(AnnotationsError, match=f"{reason}.*UTF-8 or UTF-16"):
        read(content)


def test_decimal_commas_are_read(read: Read) -> None:
    header = "filename;" + ";".join(
        f"{kind}{zone}" for kind in ("Mean", "Mode") for zone in "ABCDEF"
    )
    table = read(f"{header};S-Global\na;0,2;1;1,8;2,4;3;0;0,0;1;2,0;2;3;0;8,4\n")
    (annotation,) = table.annotations
    reading = annotation.readings["consensus"]
    np.testing.assert_allclose(reading.values, [0.2, 1, 1.8, 2.4, 3, 0])
    assert reading.scores.tolist() == [0, 1, 2, 2, 3, 0]
    assert table.warnings == ()


def test_decimal_commas_between_commas_need_quotes(read: Read) -> None:
    table = read(f'{HEADER}\na,"1,0",1,1,1,1,1,\nb,1,0,2,0,3,0,1,0,2,0,3,0,\n')
    assert scores_of_all(table) == {"a"}
    assert table.rejected[0].startswith("row 3 (b): has more cells than there are columns")


@pytest.mark.parametrize("text", ["1.5", "1,5", "4,0", "1.0,0", "1_0", "0_1", "1e", ",", "nan"])
def test_what_is_no_score_stays_none(read: Read, text: str) -> None:
    table = read(f"filename;A;B;C;D;E;F\na;{text};1;1;1;1;1\nb;1;1;1;1;1;1\n")
    assert scores_of_all(table) == {"b"}
    assert f"the zones {text}, 1, 1, 1, 1, 1;" in table.rejected[0]


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("102030.0", "102030"),
        ("102030,00", "102030"),
        ("12.", "000012"),
        ('="001230"', "001230"),
        ("0", "000000"),
    ],
)
def test_six_digits_are_read_as_numbers_are_written(read: Read, digits: str, expected: str) -> None:
    assert scores(read(f"filename;BrixiaScore\na;{digits}\n")) == {"a": expected}


@pytest.mark.parametrize(
    "digits", ["102030.5", "1.0203E+05", "102.030", "1020300.0", "-1", "\uff11"]
)
def test_six_digits_that_are_none_are_rejected(read: Read, digits: str) -> None:
    with pytest.raises(AnnotationsError, match="six digits are allowed"):
        read(f"filename;BrixiaScore\na;{digits}\n")


def test_rows_and_columns_that_are_empty_are_passed_over(read: Read) -> None:
    table = read(
        "sep=;\nfilename;A;B;C;D;E;F;;;;\na;0;1;2;3;2;1;;;;\n;;;;;;;;;;\n\nb;1;1;1;1;1;9;;;;\n;;;;\n"
    )
    assert scores_of_all(table) == {"a"}
    assert table.rows == 2
    assert table.rejected == (
        "row 6 (b): reader reader has the zones 1, 1, 1, 1, 1, 9; 0, 1, 2 and 3 are allowed",
    )


def test_the_separator_is_the_one_that_makes_columns_of_the_header(read: Read) -> None:
    table = read('"note (a, b, c, d, e, f, g, h)";filename;A;B;C;D;E;F\nx;a;0;1;2;3;2;1\n')
    assert scores(table) == {"a": "012321"}


def test_a_column_that_stands_twice_and_differs_is_no_score(read: Read) -> None:
    table = read("filename,A,B,C,D,E,F,A\na,0,1,2,3,2,1,3\nb,1,1,1,1,1,1,1\n")
    assert scores_of_all(table) == {"b"}
    assert "has the zones 0 or 3, 1, 2, 3, 2, 1" in table.rejected[0]


def test_a_row_without_scores_is_told_apart(read: Read) -> None:
    table = read(f"{HEADER}\na,,,,,,,later\nb,1,1,1,1,1,1,\n,1,1,1,1,1,1,\n")
    assert table.without_scores == ("row 2 (a): has no scores",)
    assert table.rejected == ("row 2 (a): has no scores", "row 4: has no filename")


@pytest.mark.parametrize("wide", [True, False], ids=["in columns", "in rows"])
def test_twenty_thousand_readers_are_read(read: Read, wide: bool) -> None:
    names = [f"R{number}" for number in range(20_000)]
    if wide:
        header = ",".join(f"{name}-{zone}" for name in names for zone in "ABCDEF")
        content = f"filename,{header}\na,{','.join('1' * 6 * len(names))}\n"
    else:
        rows = "".join(f"a,1,1,1,1,1,1,{name}\n" for name in names)
        content = f"filename,A,B,C,D,E,F,reader\n{rows}"
    table = read(content)
    assert table.readers == tuple(names)
    assert len(table.annotations[0].readings) == len(names)


def test_what_is_too_large_is_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_COLUMNS", 100)
    with pytest.raises(AnnotationsError, match="have 101 columns; at most 100"):
        read(f"filename,A,B,C,D,E,F{',x' * 94}\n")
    monkeypatch.setattr(cells, "LARGEST", 100)
    with pytest.raises(AnnotationsError, match="longer than 100 bytes"):
        read("x" * 101)


def test_a_message_holds_no_whole_file(read: Read) -> None:
    long = "9" * 100_000
    with pytest.raises(AnnotationsError) as raised:
        read(f"{HEADER}\n{long},{long},1,1,1,1,1,\n{long},1,1,1,1,1,{long},\n")
    assert len(str(raised.value)) < 2_000


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(AnnotationsError, match="no regular file"):
        read_annotations(tmp_path / "pipe.csv")
