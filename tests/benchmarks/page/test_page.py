"""The page: measured sections are replaced, what is written by hand stays."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from brixia_edge.benchmarks.page import cli, measured
from brixia_edge.benchmarks.page.cli import TITLE, command, write_page
from brixia_edge.benchmarks.page.measured import SECTIONS, PageInputs
from brixia_edge.benchmarks.page.sections import begin, end, fill_sections, new_page
from brixia_edge.benchmarks.tables import markdown_table, text_table
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import execute
from brixia_edge.runtime.errors import BenchmarkError

PAGE = Path(__file__).parents[3] / "docs" / "performance.md"


def inputs(tmp_path: Path, bundle: Bundle) -> PageInputs:
    return PageInputs(tmp_path / "w.h5", tmp_path, (bundle,), tmp_path / "models", (2,), print)


def test_the_float32_and_the_int8_bundle_are_looked_into(
    tmp_path: Path, tiny_bundle: Bundle
) -> None:
    manifest = replace(tiny_bundle.manifest, precision="int8")
    int8, half = Bundle(tmp_path, manifest), Bundle(tmp_path, tiny_bundle.manifest)
    alone = inputs(tmp_path, tiny_bundle)
    assert alone.ends == (tiny_bundle,)
    assert replace(alone, bundles=(tiny_bundle, half, int8)).ends == (tiny_bundle, int8)


def test_only_the_named_section_changes() -> None:
    page = f"by hand\n{begin('floor')}\nold\n{end('floor')}\nmore by hand\n{begin('files')}\n"
    page += f"kept\n{end('files')}\nthe end\n"
    filled = fill_sections(page, {"floor": ["new", "lines"]})
    assert filled == page.replace("old", "\nnew\nlines\n")
    assert fill_sections(filled, {"floor": ["new", "lines"]}) == filled


@pytest.mark.parametrize("page", ["", f"{end('floor')}\n{begin('floor')}\n"])
def test_a_page_without_the_section_is_refused(page: str) -> None:
    with pytest.raises(BenchmarkError, match="no section 'floor'"):
        fill_sections(page, {"floor": []})


def test_a_damaged_page_is_refused_before_anything_is_measured(
    tmp_path: Path, tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(found: PageInputs, names: object) -> dict[str, list[str]]:
        raise AssertionError("measured")

    monkeypatch.setattr(cli, "measure_sections", fail)
    page = tmp_path / "page.md"
    page.write_text("# no markers\n")
    with pytest.raises(BenchmarkError):
        write_page(inputs(tmp_path, tiny_bundle), page, ["floor"])
    assert page.read_text() == "# no markers\n"


def test_a_new_page_gets_all_sections_and_the_measured_one(
    tmp_path: Path, tiny_bundle: Bundle
) -> None:
    page = tmp_path / "page.md"
    write_page(inputs(tmp_path, tiny_bundle), page, ["files", "machine"])
    lines = page.read_text().splitlines()
    assert lines[0] == f"# {TITLE}"
    assert all(begin(name) in lines and end(name) in lines for name in SECTIONS)
    files = lines[lines.index(begin("files")) : lines.index(end("files"))]
    assert files[2].startswith("| files |")
    assert files[4].startswith("| 2 |")
    assert any(line.startswith("| numpy |") for line in lines)


def test_the_command_tells_an_error_and_leaves_the_page(
    tmp_path: Path,
    tiny_bundle: Bundle,
    chest_png: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(_: PageInputs) -> Iterator[str]:
        raise BenchmarkError("made up")
        yield ""

    monkeypatch.setattr(measured, "SECTIONS", {**SECTIONS, "floor": broken})
    page = tmp_path / "page.md"
    page.write_text(new_page("By hand", SECTIONS))
    before = page.read_text()
    line = ["--weights", str(chest_png), "--images", str(tmp_path), "--models", str(tmp_path)]
    line += ["--bundle", str(tiny_bundle.root), "--section", "floor", "-o", str(page)]
    assert (execute(command, "page", line), page.read_text()) == (1, before)
    assert "made up" in capsys.readouterr().err


def test_our_page_has_all_sections() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    places = [lines.index(mark(name)) for name in SECTIONS for mark in (begin, end)]
    assert places == sorted(places)


def test_tables_keep_their_columns() -> None:
    assert text_table(["part", "ms"], [["decoder", "1.5"], ["a", "10.25"]]) == [
        "part        ms",
        "decoder    1.5",
        "a        10.25",
    ]
    assert markdown_table(["a", "b"], [["x|y", "1"]]) == [
        "| a | b |",
        "| --- | ---: |",
        "| x\\|y | 1 |",
    ]
