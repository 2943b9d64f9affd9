"""`report.html`: whole in itself, safe against names of files, and true to the evaluation."""

import re
import shutil
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.benchmarks.evaluation.evaluate import (
    evaluate,
    gather_sources,
    run_bundles,
)
from brixia_edge.benchmarks.evaluation.options import EvaluationOptions
from brixia_edge.benchmarks.evaluation.report.page.case_pictures import view_cases
from brixia_edge.benchmarks.evaluation.report.page.drawing import figure, finish, series_colour
from brixia_edge.benchmarks.evaluation.report.page.page import render
from brixia_edge.benchmarks.evaluation.report.page.plots import confusion, drawings
from brixia_edge.benchmarks.evaluation.report.provenance_tables import bundle_table
from brixia_edge.benchmarks.evaluation.report.sections import sections
from brixia_edge.benchmarks.evaluation.results import ConfusionMatrix, Evaluation
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from make_models import tiny_model

NASTY = "<script>alert('x')</script>&b"
NOTICE = "RESEARCH USE ONLY - not for diagnostic use"


class Elements(HTMLParser):
    """Every start tag with its attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, *names: str) -> list[str]:
        return [str(given[name]) for _, given in self.found for name in names if name in given]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images; a slash cannot be part of a name."""
    folder = tmp_path_factory.mktemp("images")
    picture = np.random.default_rng(1).integers(0, 255, (300, 320)).astype(np.uint8)
    for name in (NASTY.replace("/", ""), "plain"):
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, tiny_manifest: Manifest) -> Bundle:
    """A bundle that scores by the image's mean brightness."""
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    return write_bundle(folder, tiny_manifest, {"model.onnx": tiny_model()})


@pytest.fixture(scope="module")
def evaluation(root: Path, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The tiny bundle, which scores 3 throughout, beside a reader."""
    table = tmp_path_factory.mktemp("annotations") / "annotations.csv"
    lines = ("filename,A,B,C,D,E,F,reader", "plain,3,3,3,3,2,2,Senior")
    rows = (*lines, f"{NASTY.replace('/', '')},0,1,1,1,1,1,Senior")
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    sources = gather_sources(root, [table])
    options = EvaluationOptions(backend="onnxruntime", resamples=100)
    return evaluate(sources, run_bundles(sources, [bundle], options), options)


@pytest.fixture(scope="module")
def page(evaluation: Evaluation, bundle: Bundle, root: Path) -> Elements:
    views = tuple(view_cases(evaluation.bundles[0], bundle, root))
    return Elements(render(evaluation, views))


def test_the_page_asks_for_nothing_outside_itself(page: Elements) -> None:
    tags = Counter(tag for tag, _ in page.found)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(tags)
    addresses = page.attributes("src", "href", "srcset", "xlink:href", "data")
    assert addresses
    assert all(address.startswith(("#", "data:image/")) for address in addresses)
    assert not re.search(r"url\((?!#)", page.text)


def test_names_of_files_are_text_and_no_markup(page: Elements) -> None:
    assert NASTY.replace("/", "") in page.text


def test_pictures_of_every_case_are_inside_and_described(
    page: Elements, evaluation: Evaluation
) -> None:
    images = [given for tag, given in page.found if tag == "img"]
    bundle = evaluation.bundles[0]
    assert len(images) == 2 * (len(bundle.worst) + len(bundle.best))
    assert all(given.get("alt") for given in images)
    assert all(str(given["src"]).startswith("data:image/jpeg;base64,/9j/") for given in images)


def test_every_drawing_is_described(page: Elements, evaluation: Evaluation) -> None:
    drawn = [given for _, given in page.found if given.get("role") == "img"]
    assert len(drawn) == sum(map(len, drawings(evaluation).values()))
    assert all(given.get("aria-label") for given in drawn)


def test_the_models_table_tells_from_which_weights_a_light_network_was_learned(
    evaluation: Evaluation,
) -> None:
    (exact,) = evaluation.bundles
    light = replace(exact, exact_weights_sha256="ef" * 32)
    rows = {
        row[0]: row[1:] for row in bundle_table(replace(evaluation, bundles=(exact, light))).rows
    }
    assert rows["precision"] == ("fp32", "light, fp32")
    weights = "ab" * 32
    assert rows["sha256 of the weights"] == (weights, f"{weights}, learned from {'ef' * 32}")


def test_sections_can_be_reached_and_no_address_is_used_twice(
    page: Elements, evaluation: Evaluation
) -> None:
    ids = page.attributes("id")
    own = [name for name in ids if name in {part.key for part in sections(evaluation)}]
    assert own == [part.key for part in sections(evaluation)]
    targets = {address[1:] for address in page.attributes("href")}
    assert targets <= set(ids)
    headings = [tag for tag, _ in page.found if tag in {"h1", "h2", "h3"}]
    assert headings.count("h1") == 1


def test_the_page_says_research_use_above_and_below(page: Elements) -> None:
    assert page.text.count(NOTICE) >= 2


def test_the_main_figures_stand_in_the_page(page: Elements, evaluation: Evaluation) -> None:
    # The bundle's 18 stands beside 16 and 5.
    comparison = evaluation.comparisons[0]
    assert comparison.agreement.global_score["mae"].value == pytest.approx(7.5)
    assert "7.50 (" in page.text
    assert evaluation.image_set.sha256 in page.text


def test_a_confusion_matrix_shows_its_counts_at_their_places() -> None:
    matrix = ConfusionMatrix(("0", "1"), ((11, 0), (23, 45)))
    drawing = confusion(matrix, "made up", "network", "S")
    counts = re.findall(r">(\d{2})</text>", drawing.svg)
    assert sorted(counts) == ["11", "23", "45"]
    across, down = _places(drawing.svg, "23")
    assert across < _places(drawing.svg, "45")[0]
    assert down > _places(drawing.svg, "11")[1]


def _places(svg: str, text: str) -> tuple[float, float]:
    """Where a text of a drawing stands: from the left, from the top."""
    element = re.search(rf"<text[^>]*>{text}</text>", svg)
    assert element is not None
    place = re.search(r"translate\(([\d.]+) ([\d.]+)\)", element[0]) or re.search(
        r'x="([\d.]+)" y="([\d.]+)"', element[0]
    )
    assert place is not None
    return float(place[1]), float(place[2])


def test_drawings_take_their_colours_from_the_page() -> None:
    with figure(80, 60) as drawn:
        drawn.subplots().plot((0, 1), (0, 1), color=series_colour(0))
        drawing = finish(drawn, "a line")
    assert "var(--series-1)" in drawing.svg
    assert "var(--ink)" in drawing.svg
    assert "#010203" not in drawing.svg
    assert drawing.svg.startswith("<svg ")
    assert "xmlns" not in drawing.svg


def test_the_fine_matrix_waits_behind_the_one_in_bins(evaluation: Evaluation) -> None:
    matrices = drawings(evaluation)["confusion"]
    fine = [drawing for drawing in matrices if ": global scores, " in drawing.title]
    assert fine
    assert all(drawing.folded for drawing in fine)
    assert not any(drawing.folded for drawing in matrices if drawing not in fine)


def test_an_interval_may_stand_below_its_figure_and_no_cell_is_cut(
    evaluation: Evaluation, bundle: Bundle
) -> None:
    text = render(evaluation, ())
    cells = re.findall(
        r'<td><span class="short">([^<]+)</span> <span class="short">([^<]+)</span>', text
    )
    assert ("7.50", "(2.00 to 13.00)") in cells


LAYOUT = """() => [...document.querySelectorAll('.wide')]
  .filter(each => each.checkVisibility()).map(each => {
    const caption = each.querySelector('caption span'), box = caption.getBoundingClientRect();
    return [each.scrollWidth > each.clientWidth, box.right <= innerWidth,
            getComputedStyle(caption, '::after').content.includes('Scroll sideways'),
            document.documentElement.scrollWidth <= innerWidth];
  })"""
"""Of each wide table: whether it scrolls, its caption is in sight, it hints, the page does not."""


@pytest.mark.parametrize(("width", "narrow"), [(390, True), (1400, False)])
def test_wide_tables_are_seen_whole_or_scroll_with_a_hint(
    width: int, narrow: bool, evaluation: Evaluation, root: Path, bundle: Bundle
) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    text = render(evaluation, tuple(view_cases(evaluation.bundles[0], bundle, root)))
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": width, "height": 900})
        shown.set_content(text)
        tables = [tuple(table) for table in shown.evaluate(LAYOUT)]
        browser.close()
    assert any(scrolls for scrolls, *_ in tables) == narrow
    assert {table[1:] for table in tables} == {(True, narrow, True)}
