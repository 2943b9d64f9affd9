"""Damaged annotations and lists, the same in every run: each is read or refused with a reason."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).parents[2] / "fuzz_texts.py"

pytest.importorskip("resource", reason="the limits of a process are POSIX's")


@pytest.mark.parametrize("count", [3_000, pytest.param(40_000, marks=pytest.mark.slow)])
def test_no_mutation_brings_more_than_a_reason(tmp_path: Path, count: int) -> None:
    command = [sys.executable, str(WORKER), "0", str(count), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    at = (tmp_path / "seed").read_text(encoding="utf-8")
    assert done.returncode == 0, f"the worker ended at {at}: {done.stderr[-2000:]}"
    told = json.loads(done.stdout)
    assert told["failures"] == []
    assert sum(told["outcomes"].values()) == count
    assert told["outcomes"]["read"] > count // 4, "most fail at once; they would test nothing else"
    assert told["outcomes"]["refused"] > count // 4
