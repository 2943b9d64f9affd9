"""Reads mutated bundles, tables, weights and unfinished outputs within limits.

    python tests/fuzz_files.py FIRST COUNT FOLDER

Mutations FIRST to FIRST + COUNT - 1 are read one after the other, in FOLDER; see `fuzz_loop`. Of
eight, two are manifests, one is another document of a bundle and one its network, with digests that
are right, so that they do not end the reading; one is a calibration table, one the output of an
unfinished run, and two are files of weights.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import asdict, replace
from functools import cache
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
from brixia_edge.calibration.ranges.table import CALIBRATION, CalibrationTable, Range
from brixia_edge.calibration.ranges.table import calibrated_images as calibrated
from brixia_edge.export.network.keras_file import read_keras_file
from brixia_edge.export.network.weights import load_weights
from brixia_edge.export.network.weights_process import WeightsLimits
from brixia_edge.runtime.backends.onnxrt_session import open_network, run_network, session_options
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.engine_file import EngineRecord, read_record
from brixia_edge.runtime.bundles.engines import bundle_engines
from brixia_edge.runtime.bundles.manifest import MANIFEST, MODEL
from brixia_edge.runtime.bundles.parity_report import PARITY
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.commands.resume import resume_output
from brixia_edge.runtime.errors import BrixiaEdgeError, WeightsError
from brixia_edge.runtime.files import digest
from brixia_edge.runtime.quality.reference_histograms import REFERENCE, read_reference
from brixia_edge.runtime.results import ScoringSettings
from brixia_edge.runtime.sources.process_limits import limit_further_time
from fuzz_loop import refused, run
from fuzz_weights import keras_files
from make_models import tiny_model

SHIPPED = Bundle.open()
ENGINE, SIDECAR = "engines/tensorrt.engine", "engines/tensorrt.json"
SHA256 = "ab" * 32
NAMES = ("image", "probabilities", "lung_mask", "alignment", "zone_evidence")
FIGURES = {"mean": 0.1, "p99": 0.2, "maximum": 0.3}
ACCURACY = {"zone_mae": 0.4, "global_mae": 1.5, "quadratic_kappa": None}
SCORES = {
    "images": 9,
    "zone_agreement": 0.98,
    "annotated_images": 4,
    **dict.fromkeys(("expected_zone", "expected_global", "global_score"), FIGURES),
    **dict.fromkeys(("reference_accuracy", "accuracy"), ACCURACY),
}
PARITY_REPORT = {
    "comparisons": [
        {
            "reference": "network layer by layer",
            "images": 2,
            "outputs": {NAMES[1]: {"relative_l2": 1e-7, "maximum": 1e-6, "tolerance": 1e-4}},
        }
    ],
    "scores": SCORES,
    "not_measured": ["alignment"],
    "layers": {"conv0": "int8", "conv1": "fp32"},
    "put_back": ["conv1"],
    "milliseconds": {"fp32": 80.0, "int8": 40.5},
}
RECORD = EngineRecord(
    ENGINE, digest(b"engine"), "tensorrt", "10.3", ("sm_86",), "fp32", 4, digest(tiny_model())
)
TABLE = CalibrationTable(
    weights_sha256=SHA256,
    preprocess_digest=SHIPPED.manifest.preprocess.digest,
    method="entropy",
    ranges={"a": Range(-1.5, 0.1), "still": Range(2.0, 2.0)},
    images=("0" * 64, "1" * 64),
    seed=7,
    built_with={"numpy": "2"},
    observed={"a": Range(-3.5, 0.1), "still": Range(2.0, 2.0)},
)
SETTINGS = ScoringSettings("cd" * 32, "onnxruntime", window=None)

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.0, -0.0, 2**31, -(2**63), 2**64, 10**30, 10**4000, 1e308),
    *(
        float("nan"),
        float("inf"),
        -float("inf"),
        5e-324,
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "\x1b[2J",
    ),
    *("../../etc/passwd", "/dev/zero", "/etc/passwd", ".", "..", "a/../b", "con", "x" * 5000),
    *("\u202e", "=1+1", "\n", "0" * 64, "F" * 64, "9" * 5000, [], {}, [[]], {"": {}}, [None] * 500),
    *({"a": 1, "b": [2]}, ["a", 1, None], [0] * 5000, {str(n): n for n in range(2000)}),
)
_DEEP = (18, 25, 100, 900, 30_000)
_PIECES = (b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\0", b"\n", b"1e999", b"-", b"NaN")
_MORE_PIECES = (
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\\ud800",
    b"\\u0000",
    b"9" * 6000,
    b"[" * 3,
)


def mutated_json(entries: Any, random: Random) -> bytes:
    """A document with one to five changes, of its values or its text."""
    changed: Any = json.loads(json.dumps(entries))
    for _ in range(random.choice((0, 1, 1, 1, 2, 4))):
        changed = _changed(changed, random)
    content = json.dumps(changed, ensure_ascii=random.random() < 0.5).encode("utf-8", "replace")
    if random.random() < 0.05:
        content = content.replace(b'"\\u0000"', b'{"a":' * random.choice(_DEEP))
    return mutated_bytes(content, random, (0, 0, 0, 0, 1, 2))


def _changed(value: Any, random: Random) -> Any:
    """Change one value somewhere within a value."""
    if isinstance(value, dict | list) and value and random.random() < 0.85:
        return _changed_within(value, random)
    return _nested(random) if random.random() < 0.03 else deepcopy(random.choice(_ODD))


def _changed_within(value: Any, random: Random) -> Any:
    named = isinstance(value, dict)
    keys: list[Any] = list(cast(dict[str, Any], value)) if named else list(range(len(value)))
    key = random.choice(keys)
    what = random.random()
    if what < 0.1:
        del value[key]
    elif what < 0.2 and named:
        value[str(random.choice(_ODD))[:5000]] = value[key]
    elif what < 0.25 and not named:
        value.append(deepcopy(random.choice(_ODD)))
    else:
        value[key] = _changed(value[key], random)
    return value


def _nested(random: Random) -> Any:
    value: Any = []
    for _ in range(random.choice(_DEEP[:3])):
        value = random.choice(([value], {"options": value}))
    return value


def mutated_bytes(content: bytes, random: Random, counts: Sequence[int]) -> bytes:
    """Content with so many bytes or pieces changed, or cut short."""
    for _ in range(random.choice(counts)):
        place = random.randrange(len(content) + 1)
        piece = random.choice((*_PIECES, *_MORE_PIECES, random.randbytes(1), random.randbytes(4)))
        end = place + random.choice((0, len(piece), len(piece), random.randrange(40)))
        content = content[:place] + piece + content[end:]
    return content[: random.randrange(len(content) + 1)] if random.random() < 0.03 else content


def write_bundle(files: Mapping[str, bytes], manifest: bytes | None = None) -> Path:
    """Write a bundle into the folder ``bundle``, with a manifest that fits its files."""
    root = Path("bundle")
    (root / "engines").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / name).write_bytes(content)
    (root / MANIFEST).write_bytes(manifest or json.dumps(manifest_of(files)).encode())
    return root


def manifest_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """A manifest's entries for files of the tiny network's bundle."""
    manifest = replace(
        SHIPPED.manifest,
        name="tiny",
        weights_sha256=SHA256,
        exact_weights_sha256="0" * 64,
        files={name: digest(content) for name, content in files.items()},
        engines=(asdict(RECORD),),
    )
    return json.loads(manifest.to_json())


@cache
def documents() -> Mapping[str, Any]:
    """The documents of a bundle but its manifest, by name."""
    reference = json.loads((SHIPPED.root / REFERENCE).read_text(encoding="utf-8"))
    reference |= {"weights_sha256": SHA256, "images": reference["images"][:3]}
    layers = [{"name": "conv0", "kind": "convolution", "precision": "fp32"}]
    return {
        PARITY: PARITY_REPORT,
        CALIBRATION: json.loads(TABLE.to_json()),
        REFERENCE: reference,
        SIDECAR: asdict(RECORD) | {"matrix_layers": layers},
    }


@cache
def bundle_files() -> Mapping[str, bytes]:
    """The files of a bundle that is in order."""
    texts = {name: json.dumps(entries).encode() for name, entries in documents().items()}
    return {MODEL: tiny_model(), ENGINE: b"engine", **texts}


def judge_manifest(random: Random) -> str:
    """Open and describe a bundle of a mutated manifest."""
    files = bundle_files()
    return opened(write_bundle(files, mutated_json(manifest_of(files), random)))


def judge_document(random: Random) -> str:
    """Open and describe a bundle of which one other document is mutated."""
    name = random.choice(sorted(documents()))
    changed = {name: mutated_json(documents()[name], random)}
    return opened(write_bundle({**bundle_files(), **changed}))


def opened(root: Path) -> str:
    """Open a bundle and read all that it says."""
    told = [inspected(root, form) for form in ("text", "json")]
    if any(word in said for said in told for word in ("Internal error", "Traceback", "\x1b")):
        return f"FAILED: {told[0][-300:]}"
    try:
        bundle = Bundle.open(root)
        read_reference(bundle)
        calibrated(bundle)
        for engine in bundle_engines(bundle):
            read_record(root / engine.file)
    except BrixiaEdgeError as error:
        return refused(error)
    return "read"


def inspected(target: Path, form: str) -> str:
    """What `brixia-edge inspect` says."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(["inspect", str(target), "--format", form])
    return f"{status} {out.getvalue()} {err.getvalue()}"


def judge_network(random: Random) -> str:
    """Open a bundle of a mutated network, and run what can be opened."""
    network = mutated_network(random)
    root = write_bundle({**bundle_files(), MODEL: network})
    options = session_options(threads=1)
    try:
        Bundle.open(root)
        session = open_network(root / MODEL, options)
        names = [output.name for output in session.get_outputs()]
        run_network(session, {"image": np.zeros((1, 1, 512, 512), np.float32)}, names)
    except BrixiaEdgeError as error:
        return refused(error)
    return "read"


def mutated_network(random: Random) -> bytes:
    """The tiny network with bytes changed, most of them where its structure is told."""
    content = bytearray(tiny_model())
    zeros = content.find(b"\0" * 1000)  # the evidence: nothing but values
    for _ in range(random.choice((1, 1, 2, 4))):
        place = random.randrange(len(content))
        if zeros <= place < zeros + 24_000 and random.random() < 0.98:
            place = random.choice(
                (random.randrange(zeros), random.randrange(zeros + 24_576, len(content)))
            )
        content[place] = random.choice(
            (0, 1, 0x7F, 0x80, 0xFF, random.randrange(256), content[place] ^ 1)
        )
    return bytes(content)


def judge_table(random: Random) -> str:
    """Load a mutated calibration table, and ask it what an export asks."""
    path = Path("table.json")
    path.write_bytes(mutated_json(documents()[CALIBRATION], random))
    try:
        table = CalibrationTable.load(path)
        table.check(replace(SHIPPED.manifest, weights_sha256=SHA256))
        table.require(["a"])
        CalibrationTable.from_json(table.to_json())
    except BrixiaEdgeError as error:
        return refused(error)
    return "read"


def judge_resumed(random: Random) -> str:
    """Go on with a mutated output; what is refused is left as it is."""
    lines = [json.dumps(line) for line in unfinished()]
    for _ in range(random.choice((1, 1, 2))):
        place = random.randrange(len(lines))
        lines[place] = mutated_json(unfinished()[place], random).decode("utf-8", "replace")
    end = random.choice(("\n", "\n", "", "\0\0"))
    content = ("\n".join(lines) + end).encode("utf-8", "replace")
    content = mutated_bytes(content, random, (0, 0, 0, 1))
    path = Path("output.jsonl")
    path.write_bytes(content)
    try:
        resume_output(path, SHIPPED.identity, SETTINGS)
    except BrixiaEdgeError as error:
        kept = path.read_bytes() == content
        return refused(error) if kept else "FAILED: refused, and altered"
    left = path.read_bytes()
    lost = not content.startswith(left) or b"\n" in content[len(left) :]
    return "FAILED: a line is lost" if lost else "read"


@cache
def unfinished() -> Sequence[Mapping[str, Any]]:
    """The lines of an unfinished run."""
    made = {"global": 9, "model": asdict(SHIPPED.identity), "settings": asdict(SETTINGS)}
    return (
        {"file": "one.dcm", **made, "written": ["sr/one.dcm"]},
        {"file": "two.dcm", "error": {"type": "UnreadableImage", "message": "it is none"}},
        {"file": "three.dcm", **made},
    )


def judge_weights(random: Random) -> str:
    """Load weights from a mutated file, in a process within limits as an export does."""
    path = Path("weights.h5")
    path.write_bytes(mutated_weights(random.choice(keras_files()), random))
    alignment = random.choice((None, path))
    told, answer = os.pipe()
    if not (child := os.fork()):
        os.write(answer, _loaded(path, alignment).encode())
        os._exit(0)
    os.close(answer)
    with os.fdopen(told) as stream:
        outcome = stream.read()
    _, status = os.waitpid(child, 0)
    return f"given up, signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else outcome


def _loaded(path: Path, alignment: Path | None) -> str:
    limit_further_time(WeightsLimits().seconds)
    try:
        load_weights(path, alignment=alignment, read=read_keras_file)
    except WeightsError as error:
        return refused(error)
    except BaseException as error:  # it would go up into a second loop
        return f"FAILED: {type(error).__name__}: {error}"
    return "FAILED: taken for a whole network"


def mutated_weights(content: bytes, random: Random) -> bytes:
    """A file of weights with bytes changed."""
    changed = bytearray(content)
    for _ in range(random.choice((0, 1, 1, 2, 3, 8))):
        place = random.randrange(len(changed))
        values = (0, 1, 2, 0x7F, 0x80, 0xFF, random.randrange(256), changed[place] ^ 1)
        changed[place : place + random.choice((1, 1, 1, 2, 4, 8))] = bytes([random.choice(values)])
    end = random.randrange(len(changed)) if random.random() < 0.05 else len(changed)
    return bytes(changed[:end])


JUDGES: tuple[Callable[[Random], str], ...] = (
    *(judge_manifest, judge_manifest, judge_document, judge_network),
    *(judge_table, judge_resumed, judge_weights, judge_weights),
)


def judge(seed: int) -> str:
    """Read one mutation; names its kind before what came of it."""
    random = Random(seed)  # noqa: S311 - repeatable, which is all that is asked of it
    judge_kind = JUDGES[seed % len(JUDGES)]
    kind, outcome = judge_kind.__name__.removeprefix("judge_"), judge_kind(random)
    return outcome if outcome.startswith("FAILED") else f"{kind} {outcome}"


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    run(judge)
