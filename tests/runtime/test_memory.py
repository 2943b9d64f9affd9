"""Scoring many radiographs keeps no memory: ONNX Runtime without its arena once grew to 1.8 GB."""

import subprocess
import sys
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")

PROGRAM = """
import sys
from brixia_edge.runtime.scorer import Scorer

def resident() -> int:
    lines = open("/proc/self/status", encoding="ascii").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

sizes = []
with Scorer(backend="onnxruntime") as scorer:
    for _ in scorer.score_many([sys.argv[1]] * 138):
        sizes.append(resident())
print(sizes[19], sizes[-1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the resident memory is read from /proc")
def test_memory_after_138_radiographs_is_that_after_20(chest_png: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(chest_png)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    early, late = map(int, done.stdout.split())
    assert late <= 1.05 * early
    assert late < 1_000_000, "kilobytes"
