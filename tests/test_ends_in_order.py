"""Signals and broken standard streams end every command in order, with the right exit status."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from brixia_edge.benchmarks.cli import PARTS
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import COMMANDS
from brixia_edge.runtime.files import part_of
from brixia_edge.runtime.scores import Zone
from closed_streams import FULL

HERE = Path(__file__).parent

PROGRAM = """
from brixia_edge.runtime.cli import run
from brixia_edge.runtime.sources import process
from faulty_reading import FAULTY
process._START = FAULTY
run()
"""
"""The console script, with a reading process that hangs at a file called endless.png."""

EXPORT = """
from brixia_edge.export.network import weights
from brixia_edge.export.exporter import FloatNetwork
from brixia_edge.export.precision import lower_precision
from brixia_edge.runtime.bundles.bundle import Bundle
import os
from pathlib import Path
weights.load_weights = lambda *_: None
tiny = Bundle.open(Path(os.environ["TINY_BUNDLE"]))
lower_precision.build_float = lambda *_: FloatNetwork(
    None, (tiny.root / "model.onnx").read_bytes(), tiny.manifest, ()
)
"""
"""Before `PROGRAM`: exports the tiny bundle as if it came of the weights."""

BUNDLE, INPUTS, OUTPUT, TABLE = "{bundle}", "{inputs}", "{output}", "{table}"

READING: dict[str, Sequence[str]] = {
    "score": ["score", INPUTS, "--format", "csv", "-o", f"{OUTPUT}/scores.csv"],
    "score to folders": ["score", INPUTS, "--overlay", f"{OUTPUT}/pictures"],
    "explain": ["explain", INPUTS, "-o", f"{OUTPUT}/why"],
    "evaluate": ["evaluate", "--images", INPUTS, "--annotations", TABLE, "-o", f"{OUTPUT}/report"],
    "calibrate": ["calibrate", INPUTS, "-o", f"{OUTPUT}/table.json"],
    "agreement": ["benchmark", "agreement", INPUTS, "--backend", "onnxruntime"],
    "export": [
        *("export", "w.h5", "-o", f"{OUTPUT}/bundle", "--precision", "fp16"),
        *("--calibration", INPUTS),
    ],
}
"""Commands that read a folder, and would write into another."""

HALF = ("*.csv", "*.json", "report*", "bundle*", "*.npz")
"""What none of them may leave when it is cut short; whole pictures may stay."""


@pytest.fixture
def places(tmp_path: Path, tiny_bundle: Bundle) -> dict[str, str]:
    """Folders and files that commands are given."""
    inputs, output, temporary = (tmp_path / name for name in ("in", "out", "tmp"))
    for folder in (inputs, output, temporary):
        folder.mkdir()
    for seed, name in enumerate(("0.png", "1.png", "endless.png")):
        picture = np.random.default_rng(seed).integers(0, 255, (96, 96)).astype(np.uint8)
        (inputs / name).write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    table = tmp_path / "annotations.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["filename", *(zone.value for zone in Zone)])
        rows.writerows([[name, 0, 1, 2, 3, 2, 1] for name in ("0.png", "1.png", "endless.png")])
    return {
        "bundle": str(tiny_bundle.root),
        "inputs": str(inputs),
        "output": str(output),
        "table": str(table),
        "tmp": str(temporary),
    }


def start(
    arguments: Sequence[str], places: dict[str, str], program: str = PROGRAM
) -> "subprocess.Popen[bytes]":
    """Start a command with the tiny bundle and a folder of its own for what is temporary."""
    filled = [argument.format(**places) for argument in arguments]
    if "export" not in arguments:
        filled += ["--bundle", places["bundle"]]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
        "TMPDIR": places["tmp"],
        "TINY_BUNDLE": places["bundle"],
    }
    return subprocess.Popen(
        [sys.executable, "-c", program, *filled],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_until_reading(places: dict[str, str], process: "subprocess.Popen[bytes]") -> None:
    """Wait until the file is read that the reading process hangs at."""
    mark = Path(places["inputs"]) / "begun"
    for _ in range(1200):
        if mark.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("the file is never read")


def wait_for_lines(path: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a file that a command writes has so many lines."""
    for _ in range(1200):
        if path.exists() and path.read_bytes().count(b"\n") >= count:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail(f"{path.name} never has {count} lines")


def left(places: dict[str, str]) -> list[str]:
    """What is left of work that was cut short."""
    output = Path(places["output"])
    halves = [path.name for pattern in HALF for path in output.glob(pattern)]
    return halves + os.listdir(places["tmp"])


CASES = [
    *((command, signal.SIGTERM) for command in READING),
    *(
        (command, number)
        for command in ("score", "evaluate")
        for number in (signal.SIGHUP, signal.SIGINT)
    ),
]


@pytest.mark.parametrize(("command", "number"), CASES)
def test_a_signal_leaves_nothing_half_done(
    places: dict[str, str], command: str, number: signal.Signals
) -> None:
    program = PROGRAM if command != "export" else EXPORT + PROGRAM
    with start(READING[command], places, program) as process:
        wait_until_reading(places, process)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"Traceback" not in told
    assert b"Internal error" not in told
    assert left(places) == []


def test_a_benchmark_that_is_stopped_leaves_nothing(places: dict[str, str]) -> None:
    arguments = ["benchmark", "--seconds", "600", "--save", f"{OUTPUT}/saved.json"]
    with start(arguments, places) as process:
        assert process.stderr is not None
        assert process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert left(places) == []


def test_json_lines_of_a_stopped_run_can_be_gone_on_with(places: dict[str, str]) -> None:
    """Hours of work: what was scored is kept beside, as ``--resume`` wants it."""
    output = f"{OUTPUT}/scores.jsonl"
    arguments = ["score", INPUTS, "--format", "json", "-o", output]
    with start(arguments, places) as process:
        wait_until_reading(places, process)
        # Reading is ahead of scoring, so the lines of what was read come a little later.
        wait_for_lines(part_of(Path(output.format(**places))), 2, process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert not Path(output.format(**places)).exists()
    (Path(places["inputs"]) / "endless.png").unlink()
    with start([*arguments, "--resume"], places) as process:
        _, told = process.communicate(timeout=120)
    assert process.returncode == 0
    assert b"2 of 2 files are scored already" in told
    assert len(Path(output.format(**places)).read_text().splitlines()) == 2


def test_what_a_caller_ignores_stays_ignored(places: dict[str, str]) -> None:
    """As ``nohup`` does with the signal of a terminal that is closed."""
    ignoring = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{PROGRAM}"
    with start(READING["score"], places, ignoring) as process:
        wait_until_reading(places, process)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert b"SIGTERM" in told


QUICK: dict[str, Sequence[str]] = {
    "--help": ["--help"],
    "--version": ["--version"],
    "usage": ["score", "--nope"],
    "score": ["score", INPUTS],
    "score list": ["score", "-"],
    "explain": ["explain", f"{INPUTS}/0.png", "-o", f"{OUTPUT}/why", "--overwrite"],
    "evaluate": [
        *("evaluate", "--images", INPUTS, "--annotations", TABLE, "--resamples", "100"),
        *("-o", f"{OUTPUT}/report", "--overwrite"),
    ],
    "calibrate": [
        *("calibrate", INPUTS, "-o", f"{OUTPUT}/table.json", "--overwrite"),
        *("--images", "2", "--minimum", "2", "--allow-doubtful"),
    ],
    "benchmark": ["benchmark", "--runs", "1", "--seconds", "0", "--cold-starts", "0"],
    "agreement": ["benchmark", "agreement", INPUTS, "--backend", "onnxruntime"],
    "roofline": ["benchmark", "roofline", "--help"],
    "peers": ["benchmark", "peers", "--help"],
    "scaling": ["benchmark", "scaling", "--help"],
    "inspect": ["inspect", f"{INPUTS}/0.png"],
    "inspect bundle": ["inspect", BUNDLE],
    "doctor": ["doctor"],
    "export": ["export", "absent.h5", "-o", f"{OUTPUT}/bundle"],
    "demo": ["demo", "--help"],
    "node": ["node", "--help"],
}
"""Every command, at something that it soon has done."""

NEEDS_BUNDLE = ("score", "score list", "explain", "evaluate", "calibrate", "benchmark", "agreement")

HOW = {
    "open": {},
    "all but output closed": {"0": "closed", "2": "closed"},
    "all but error closed": {"0": "closed", "1": "closed"},
    "all closed": {"0": "closed", "1": "closed", "2": "closed"},
    "output full": {"1": "full"},
    "error full": {"2": "full"},
}

FOR_ALL = ("open", "all but output closed", "all but error closed")
FOR_SOME = ("--help", "usage", "score", "inspect")
"""These are tried in all ways."""


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")
def test_closed_and_full_streams_cost_what_goes_there(
    places: dict[str, str], tmp_path: Path
) -> None:
    (Path(places["inputs"]) / "endless.png").unlink()
    cases = tmp_path / "cases.json"
    named = [
        (command, how) for command in QUICK for how in HOW if how in FOR_ALL or command in FOR_SOME
    ]
    cases.write_text(json.dumps([_case(*name, places) for name in named]), encoding="utf-8")
    harness = [sys.executable, HERE / "closed_streams.py", cases]
    found = subprocess.run(harness, capture_output=True, check=True)
    done = dict(zip(named, json.loads(found.stdout), strict=True))
    for (command, how), result in done.items():
        _check_end(command, how, result, done[command, "open"])


def _case(command: str, how: str, places: dict[str, str]) -> dict[str, object]:
    filled = [argument.format(**places) for argument in QUICK[command]]
    bundle = ["--bundle", places["bundle"]] if command in NEEDS_BUNDLE else []
    return {"arguments": [*filled, *bundle], "streams": HOW[how]}


def _check_end(command: str, how: str, result: dict[str, Any], usual: dict[str, Any]) -> None:
    told = f"{command}, {how}: {result}"
    assert "Traceback" not in result["err"], told
    assert "Internal error" not in result["err"], told
    closed = HOW[how]
    if "1" not in closed or not usual["out"]:
        # What the timings say differs from run to run.
        assert bool(result["out"]) == bool(usual["out"]), told
        assert result["status"] == usual["status"], told
    else:
        assert result["status"] == (usual["status"] or 1), told
        assert "2" in closed or "Error: standard output: " in result["err"], told


def test_every_command_is_tried() -> None:
    assert {*COMMANDS, *PARTS} <= {*QUICK}
