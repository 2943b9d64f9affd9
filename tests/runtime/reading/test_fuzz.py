"""20,000 damaged files, the same in every run: each is read or refused with one of our reasons."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from brixia_edge.runtime.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.sources.source import prepare_file
from mutations import mutate

REGRESSIONS = Path(__file__).parent / "regression"
WORKER = Path(__file__).parents[2] / "fuzz_worker.py"
MUTATIONS = 20_000
WORKERS = 2

pytest.importorskip("resource", reason="the limits of a process are POSIX's")


def test_no_mutation_brings_more_than_a_reason(tmp_path: Path) -> None:
    share = MUTATIONS // WORKERS
    folders = [tmp_path / str(number) for number in range(WORKERS)]
    for folder in folders:
        folder.mkdir()
    commands = [
        [sys.executable, str(WORKER), str(number * share), str(share), str(folder)]
        for number, folder in enumerate(folders)
    ]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=one_thread
        )
        for command in commands
    ]
    outcomes = [worker.communicate() for worker in workers]
    read = 0
    for worker, folder, (out, err) in zip(workers, folders, outcomes, strict=True):
        at = (folder / "seed").read_text(encoding="utf-8")
        assert worker.returncode == 0, f"the worker ended at {at}: {err[-2000:]}"
        told = json.loads(out)
        assert sum(told["outcomes"].values()) == share
        assert told["failures"] == []
        read += told["outcomes"]["read"]
    assert read > MUTATIONS // 10, "most mutations fail at once; they would test nothing else"


@pytest.mark.parametrize("file", sorted(REGRESSIONS.glob("*.bin")), ids=lambda file: file.stem)
def test_what_was_found_once_is_refused_now(file: Path) -> None:
    with pytest.raises((ImageTooLarge, UnreadableImage, UnsupportedImage)):
        prepare_file(file, PreprocessSpec("equalize"))


def test_a_mutation_is_the_same_every_time() -> None:
    content = bytes(range(256)) * 4
    assert mutate(content, 5) == mutate(content, 5)
    assert len({mutate(content, seed) for seed in range(50)}) > 25
