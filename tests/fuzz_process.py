"""Starts the process that judges mutations (`fuzz_loop`), and looks at what came of them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def judged_mutations(worker: Path, count: int, folder: Path) -> Mapping[str, int]:
    """How often each outcome came of the first mutations; none may be a failure.

    Parameters
    ----------
    worker
        The program.
    count
        How many mutations.
    folder
        For its files.
    """
    command = [sys.executable, str(worker), "0", str(count), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    at = (folder / "seed").read_text(encoding="utf-8")
    assert done.returncode == 0, f"the worker ended at {at}: {done.stderr[-2000:]}"
    told = json.loads(done.stdout)
    assert told["failures"] == []
    assert sum(told["outcomes"].values()) == count
    return told["outcomes"]
