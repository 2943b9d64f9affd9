"""The cost of evidence is measured on the work itself."""

from pathlib import Path

import pytest
from brixia_edge.benchmarks.explanation.evidence_cost import command, measure_cost
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import execute
from click.testing import CliRunner


def test_every_figure_is_measured(tiny_bundle: Bundle, chest_png: Path) -> None:
    cost = measure_cost(tiny_bundle, "onnxruntime", chest_png, rounds=2)
    assert min(cost.score_ms, cost.wall_ratio, cost.processor_ratio, cost.panel_ms) > 0


def test_the_module_prints_one_line(tiny_bundle: Bundle, chest_png: Path) -> None:
    options = ["--bundle", str(tiny_bundle.root), "--backend", "onnxruntime", "--rounds", "1"]
    done = CliRunner().invoke(command, [str(chest_png), *options])
    assert done.exit_code == 0
    assert "with evidence" in done.output
    assert done.output.count("\n") == 1


def test_a_file_that_cannot_be_read_is_told_without_traceback(
    tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = ["--bundle", str(tiny_bundle.root), "--backend", "onnxruntime"]
    assert execute(command, "tool", [str(tmp_path / "absent.png"), *bundle]) == 1
    assert "Error: cannot be opened" in capsys.readouterr().err
