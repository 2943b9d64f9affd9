"""What an explanation by evidence costs beside the score that it explains.

``python -m brixia_edge.benchmarks.explanation.evidence_cost RADIOGRAPH`` scores with and without it
in turn, so that both see the same load of the machine. Drawing and saving the picture is told
apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import click
import numpy as np

from ...runtime.bundles.bundle import Bundle
from ...runtime.cli import run_alone
from ...runtime.commands.options import PATH, backend_option, bundle_option
from ...runtime.commands.terminal import show
from ...runtime.explanation.explainer import NEEDED_OUTPUTS, explain
from ...runtime.explanation.panel import explanation_panel
from ...runtime.scorer import Scorer


@dataclass(frozen=True)
class EvidenceCost:
    """Medians over rounds.

    Attributes
    ----------
    score_ms
        Wall-clock milliseconds of a score: reading, preparation, inference, quality.
    wall_ratio, processor_ratio
        Score with evidence and its combined map by score alone, in wall-clock time and in
        processor time of all threads; the median of each round's ratio.
    panel_ms
        Wall-clock milliseconds to draw the panel, in none of the ratios.
    """

    score_ms: float
    wall_ratio: float
    processor_ratio: float
    panel_ms: float


def measure_cost(bundle: Bundle, backend: str, file: Path, rounds: int) -> EvidenceCost:
    """Score a file in turns with and without evidence; a first round of each is not counted.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge, PredictionError, BackendUnavailable
        As `Scorer.score`.
    """
    with Scorer(bundle, backend) as plain, Scorer(bundle, backend, outputs=NEEDED_OUTPUTS) as full:
        explanation = explain(full, file)
        plain.score(file)
        turns = [
            (*_time(lambda: plain.score(file)), *_time(lambda: explain(full, file).combined()))
            for _ in range(rounds)
        ]
        panels = [_time(lambda: explanation_panel(explanation))[0] for _ in range(rounds)]
    wall, processor, wall_explained, processor_explained = np.array(turns).T
    return EvidenceCost(
        score_ms=float(np.median(wall)) * 1000,
        wall_ratio=float(np.median(wall_explained / wall)),
        processor_ratio=float(np.median(processor_explained / processor)),
        panel_ms=float(np.median(panels)) * 1000,
    )


def _time(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall and of the processors."""
    wall, processor = perf_counter(), process_time()
    work()
    return perf_counter() - wall, process_time() - processor


@click.command()
@click.argument("file", type=PATH)
@bundle_option()
@backend_option
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True)
def command(file: Path, bundle: Path | None, backend: str, rounds: int) -> None:
    """Measure what an explanation by evidence costs beside its score."""
    cost = measure_cost(Bundle.open(bundle), backend, file, rounds)
    line = (
        f"score {cost.score_ms:.0f} ms; with evidence {cost.wall_ratio:.3f} times as long "
        f"({cost.processor_ratio:.3f} in processor time); drawing the panel {cost.panel_ms:.0f} ms"
    )
    show([line])


if __name__ == "__main__":
    run_alone(command, "python -m brixia_edge.benchmarks.explanation.evidence_cost")
