"""Damaged bundles, tables, weights and unfinished outputs, the same in every run: each is read or
refused with a reason.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("h5py", reason="files of weights need the extra export")
pytest.importorskip("resource", reason="the limits of a process are POSIX's")

WORKER = Path(__file__).parents[2] / "fuzz_files.py"


@pytest.mark.parametrize("count", [1_200, pytest.param(60_000, marks=pytest.mark.slow)])
def test_no_mutation_brings_more_than_a_reason(tmp_path: Path, count: int) -> None:
    command = [sys.executable, str(WORKER), "0", str(count), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    at = (tmp_path / "seed").read_text(encoding="utf-8")
    assert done.returncode == 0, f"the worker ended at {at}: {done.stderr[-2000:]}"
    told = json.loads(done.stdout)
    assert told["failures"] == []
    assert sum(told["outcomes"].values()) == count
    for kind in ("manifest", "document", "network", "table", "resumed"):
        read, refused = (told["outcomes"][f"{kind} {what}"] for what in ("read", "refused"))
        assert min(read, refused) > (read + refused) // 20, "one outcome alone would test little"
    given_up = [what for what in told["outcomes"] if what.startswith("weights given up")]
    loaded = sum(told["outcomes"][what] for what in ("weights refused", *given_up))
    assert loaded == count // 4
