"""Damaged annotations and lists, the same in every run: each is read or refused with a reason."""

from pathlib import Path

import pytest
from fuzz_process import judged_mutations

WORKER = Path(__file__).parents[2] / "fuzz_texts.py"

pytest.importorskip("resource", reason="the limits of a process are POSIX's")


@pytest.mark.parametrize("count", [3_000, pytest.param(40_000, marks=pytest.mark.slow)])
def test_no_mutation_brings_more_than_a_reason(tmp_path: Path, count: int) -> None:
    outcomes = judged_mutations(WORKER, count, tmp_path)
    assert outcomes["read"] > count // 4, "most fail at once; they would test nothing else"
    assert outcomes["refused"] > count // 4
