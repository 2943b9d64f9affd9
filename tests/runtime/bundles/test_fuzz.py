"""Damaged bundles, tables, weights and unfinished outputs, the same in every run: each is read or
refused with a reason.
"""

from pathlib import Path

import pytest
from fuzz_process import judged_mutations

pytest.importorskip("h5py", reason="files of weights need the extra export")
pytest.importorskip("resource", reason="the limits of a process are POSIX's")

WORKER = Path(__file__).parents[2] / "fuzz_files.py"


@pytest.mark.parametrize("count", [1_200, pytest.param(60_000, marks=pytest.mark.slow)])
def test_no_mutation_brings_more_than_a_reason(tmp_path: Path, count: int) -> None:
    outcomes = judged_mutations(WORKER, count, tmp_path)
    for kind in ("manifest", "document", "network", "table", "resumed"):
        read, refused = (outcomes[f"{kind} {what}"] for what in ("read", "refused"))
        assert min(read, refused) > (read + refused) // 20, "one outcome alone would test little"
    given_up = [what for what in outcomes if what.startswith("weights given up")]
    loaded = sum(outcomes[what] for what in ("weights refused", *given_up))
    assert loaded == count // 4
