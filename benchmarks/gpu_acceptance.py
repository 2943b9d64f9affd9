"""Everything that needs an NVIDIA GPU, in one run with one report.

``python -m brixia_edge.benchmarks.gpu_acceptance -o report.json`` copies a bundle, builds its
engine on this machine, runs it beside ONNX Runtime on the same images, compares the
scores, times both, and writes what it found. Nothing of it needs the tests.
"""

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import click
import numpy as np
from numpy.typing import NDArray

from ..runtime.backends import open_session
from ..runtime.backends.base import Session
from ..runtime.bundles.bundle import Bundle
from ..runtime.bundles.engines import bundle_engines, copy_bundle
from ..runtime.cli import run_alone
from ..runtime.commands.options import bundle_option, output_option, overwrite_option
from ..runtime.commands.statuses import UNSCORED
from ..runtime.commands.terminal import show, tell
from ..runtime.commands.writing import OutputRule
from ..runtime.errors import BrixiaEdgeError
from ..runtime.files import write_file
from ..runtime.inspection.machine import examine
from ..runtime.inspection.machine_gpu import LIBRARIES, gpu_target, library_version
from .agreement.contestants import pair
from .agreement.measure import measure_inputs
from .agreement.radiographs import NetworkInput
from .latency.latency_statistics import LatencySummary, summarise

SCORE_TOLERANCE = {"fp32": 0.02, "fp16": 0.1, "int8": 0.5}
"""Largest allowed difference of a zone's expected score to ONNX Runtime on the same file."""

WARM_UP = 10


@dataclass(frozen=True)
class Check:
    """One thing that was tried: whether it held, and what was found."""

    name: str
    ok: bool
    found: object


def accept(bundle: Bundle, backend: str, images: int, runs: int) -> list[Check]:
    """Build, run, compare and time one backend.

    Parameters
    ----------
    bundle
        An opened bundle that may be changed.
    backend
        ``tensorrt`` or ``tensorrt-rtx``.
    images
        How many synthetic images are compared.
    runs
        How many calls are timed.
    """
    checks = [_build(bundle, backend)]
    try:
        bundle = Bundle.open(bundle.root)
        data = synthetic_images(images)
        checks.append(_compare(bundle, backend, data))
        with open_session(bundle, backend) as session:
            checks.append(_repeat(session, data, min(3, bundle.manifest.max_batch)))
            for batch in (1, min(4, bundle.manifest.max_batch)):
                summary = time_session(session, data[:batch], runs)
                checks.append(
                    Check(f"latency, batch of {len(data[:batch])}", True, asdict(summary))
                )
    except BrixiaEdgeError as error:
        checks.append(Check(f"{backend} runs", False, str(error)))
    return checks


def time_session(session: Session, batch: NDArray[np.float32], runs: int) -> LatencySummary:
    """Time calls of a session on one batch, after a warm-up."""
    for _ in range(WARM_UP):
        session.run(batch, ["probabilities"])
    times: list[float] = []
    for _ in range(runs):
        started = perf_counter()
        session.run(batch, ["probabilities"])
        times.append((perf_counter() - started) * 1000)
    return summarise(times, len(batch))


def synthetic_images(count: int, size: int = 512) -> NDArray[np.float32]:
    """Smooth random greys, always the same: float32 ``[count, 1, size, size]``, 0..1."""
    generator = np.random.default_rng(0)
    coarse = generator.random((count, 1, 16, 16), np.float32)
    return np.kron(coarse, np.ones((size // 16, size // 16), np.float32)).astype(np.float32)


def _build(bundle: Bundle, backend: str) -> Check:
    """Build in a process of its own, as a user would, so that its memory is given back."""
    target = ["--target", gpu_target()] if backend == "tensorrt-rtx" else []
    code = "import sys; from brixia_edge.runtime.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["export", str(bundle.root), "--engine", backend, *target]
    done = subprocess.run(  # noqa: S603 - our own command with the arguments above
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    found = [record.to_dict() for record in bundle_engines(Bundle.open(bundle.root), backend)]
    said = done.stderr.strip().splitlines()[-3:]
    return Check(f"{backend} builds", done.returncode == 0, found or said)


def _compare(bundle: Bundle, backend: str, data: NDArray[np.float32]) -> Check:
    """Zone by zone, in scores: the largest difference of the expected score to ONNX Runtime's."""
    contestants = pair([bundle], ["onnxruntime", backend])
    inputs = [
        NetworkInput(Path(f"synthetic image {number}"), image)
        for number, image in enumerate(np.split(data, len(data)), 1)
    ]
    reference, found = measure_inputs(contestants, inputs).expected
    largest = float(np.abs(found - reference).max())
    allowed = SCORE_TOLERANCE[bundle.manifest.precision]
    told = {"largest difference of a zone": round(largest, 5), "allowed": allowed}
    return Check("scores as ONNX Runtime's", largest <= allowed, told)


def _repeat(session: Session, data: NDArray[np.float32], batch: int) -> Check:
    """The plain run, the recorded graph and another batch size give the same numbers."""
    single = [session.run(data[:1])["probabilities"] for _ in range(4)]
    together = session.run(np.concatenate([data[:1]] * batch))["probabilities"]
    spread = max(float(np.abs(single[0] - other).max()) for other in (*single, *together[:, None]))
    return Check("the same image gives the same numbers", spread < 1e-2, {"spread": spread})


def _machine() -> dict[str, object]:
    findings = {f"{each.subject}": each.detail for each in examine()}
    versions = {name: library_version(library.module) for name, library in LIBRARIES.items()}
    return {"platform": platform.platform(), "versions": versions, "doctor": findings}


@click.command()
@output_option("The report.")
@bundle_option()
@click.option(
    "--backend",
    "backends",
    type=click.Choice(list(LIBRARIES)),
    multiple=True,
    help="Default: those whose library is installed.",
)
@click.option("--images", type=click.IntRange(1), default=8, show_default=True)
@click.option("--runs", type=click.IntRange(1), default=100, show_default=True)
@overwrite_option("a report that exists")
def command(  # noqa: PLR0913, PLR0917 - one for each option
    output: Path,
    bundle: Path | None,
    backends: Sequence[str],
    images: int,
    runs: int,
    overwrite: bool,
) -> int:
    """Build, run, compare and time engines on this machine's GPU; write one report.

    Exit status 1 when anything does not hold.
    """
    opened = Bundle.open(bundle)
    OutputRule(opened.paths, overwrite).check(output)
    installed = [name for name, library in LIBRARIES.items() if library_version(library.module)]
    results: dict[str, list[Check]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for backend in backends or installed:
            copied = copy_bundle(opened, Path(folder) / backend)
            results[backend] = accept(copied, backend, images, runs)
    report = {
        "model": asdict(opened.identity),
        "machine": _machine(),
        "checks": {name: [asdict(check) for check in each] for name, each in results.items()},
    }
    write_file(output, (json.dumps(report, indent=2) + "\n").encode(), overwrite)
    show(
        f"{'ok' if check.ok else 'FAILED':<8}{backend:<14}{check.name}: {check.found}"
        for backend, checks in results.items()
        for check in checks
    )
    if not results or not all(check.ok for each in results.values() for check in each):
        tell("not accepted" if results else "no TensorRT is installed here")
        return UNSCORED
    return 0


if __name__ == "__main__":
    run_alone(command, "python -m brixia_edge.benchmarks.gpu_acceptance")
