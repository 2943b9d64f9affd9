"""What an export to a lower precision is said to take."""

from pathlib import Path

import pytest
from brixia_edge.calibration.options import CalibrationOptions
from brixia_edge.calibration.ranges.table import CalibrationTable
from brixia_edge.export.parity.score_parity import ScoreBound
from brixia_edge.export.precision.duration import export_runs
from brixia_edge.export.precision.evidence import Evidence


def evidence(files: int, table: CalibrationTable | None = None) -> Evidence:
    paths = [Path(f"{number}.png") for number in range(files)]
    return Evidence(table, paths, CalibrationOptions(), {}, ScoreBound())


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_more_radiographs_take_longer(precision: str) -> None:
    runs = [export_runs(precision, evidence(files)) for files in (20, 100, 138)]
    assert runs == sorted(runs)
    assert runs[2] > 138 + 100


def test_a_table_spares_the_collecting() -> None:
    table = CalibrationTable("0" * 64, "0" * 64, "minmax", {}, (), 0, {}, {}, 0.0)
    assert export_runs("int8", evidence(138, table)) < export_runs("int8", evidence(138))
