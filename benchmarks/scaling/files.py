"""What each further file costs `brixia-edge score`, and whether memory stays bounded."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ...runtime.errors import BenchmarkError
from .tiny_bundle import write_tiny_bundle, write_tiny_files

COUNTS = (10, 1_000, 100_000)
"""How many files are scored."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class FilesRow:
    """One run of `brixia-edge score` over a folder.

    Attributes
    ----------
    files
        How many it scored.
    seconds
        From the search of the folder to the last line, the start of Python left out.
    further
        Milliseconds for each file more than in the row before; None in the first row.
    peak_memory
        Bytes of resident memory at most; None where the system does not tell.
    """

    files: int
    seconds: float
    further: float | None
    peak_memory: int | None


def measure_files(counts: Sequence[int] = COUNTS, tell: Tell = lambda _: None) -> list[FilesRow]:
    """Score folders of generated files with a network that costs nothing.

    Parameters
    ----------
    counts
        Numbers of files, rising.
    tell
        Is told what is going on.

    Raises
    ------
    MissingExtra
        The package onnx is not installed.
    BenchmarkError
        A file was not scored.
    OSError
        The disk is full: a hundred thousand files take about 0.8 GB.
    """
    rows: list[FilesRow] = []
    with TemporaryDirectory(prefix="brixia-edge-") as name:
        bundle = write_tiny_bundle(Path(name) / "bundle")
        for count in counts:
            tell(f"scoring {count} files")
            folder = Path(name) / "files"
            write_tiny_files(folder, count)
            rows.append(_row(_score(bundle.root, folder, count), count, rows))
            shutil.rmtree(folder)
    return rows


@dataclass(frozen=True)
class _Found:
    seconds: float
    peak_memory: int | None


def _score(bundle: Path, folder: Path, count: int) -> _Found:
    output = folder.with_name("scores.jsonl")
    how = ["--bundle", str(bundle), "--backend", "onnxruntime", "--threads", "1"]
    command = [sys.executable, "-m", f"{__package__}.score_child", "score", str(folder), *how]
    done = subprocess.run(  # noqa: S603 - our own command with the arguments above
        [*command, "--format", "json", "-o", str(output), "--overwrite"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = output.read_bytes().count(b"\n") if output.exists() else 0
    if done.returncode or lines != count:
        reason = (done.stderr.strip() or "no reason told").splitlines()[-1]
        raise BenchmarkError(f"{lines} of {count} generated files were scored: {reason}")
    found = json.loads(done.stdout.splitlines()[-1])
    return _Found(found["seconds"], found["peak_memory"])


def _row(found: _Found, count: int, before: Sequence[FilesRow]) -> FilesRow:
    further = None
    if before:
        last = before[-1]
        further = 1000 * (found.seconds - last.seconds) / (count - last.files)
    return FilesRow(count, found.seconds, further, found.peak_memory)
