"""A picture of a benchmark: the stages as one bar, the times in order, and how they spread."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ...runtime.authorship import SOFTWARE, software_version
from ...runtime.errors import MissingExtra, OutputRefused, pip_line
from ...runtime.libraries import import_library
from ...runtime.plain_text import printable
from .benchmark import Benchmark

_STAGE_COLOURS = {
    "read": "#56b4e9",
    "decode": "#0072b2",
    "prepare": "#009e73",
    "copy in": "#f0e442",
    "infer": "#d55e00",
    "copy out": "#e69f00",
    "post": "#cc79a7",
    "report": "#999999",
}
"""The palette of Okabe and Ito, which the colour-blind can tell apart."""

_INK, _MUTED = "#222222", "#8a8a8a"
_LABELLED = 0.06
"""Share of the bar from which a stage's name fits into it."""


def write_plot(benchmark: Benchmark, file: BinaryIO, form: str) -> None:
    """Draw a benchmark in a format of `plot_format`.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    figure: Any = import_library("matplotlib.figure").Figure(figsize=(9, 5.2), layout="constrained")
    import_library("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    axes = figure.subplot_mosaic(
        [["stages", "stages"], ["order", "spread"]], height_ratios=(1, 2.2), width_ratios=(3, 1)
    )
    subject, machine = benchmark.subject, benchmark.machine
    figure.suptitle(
        f"{printable(subject.told)}, batch of {subject.batch}\n"
        f"{machine.processor}, {machine.cores} cores",
        fontsize=11,
        parse_math=False,  # a name may hold dollars
    )
    _draw_stages(axes["stages"], benchmark)
    _draw_order(axes["order"], benchmark)
    _draw_spread(axes["spread"], axes["order"], benchmark)
    # PNG names its software, so that no folder of radiographs has it scored; SVG has no such key.
    named = {"Software": f"{SOFTWARE} {software_version()}"} if form == "png" else None
    figure.savefig(file, format=form, dpi=150, metadata=named)


def plot_format(path: Path) -> str:
    """The format that a path's suffix names, PNG without one; before anything is measured.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    OutputRefused
        It does not write that format.
    """
    try:
        import_library("matplotlib")
        canvas: Any = import_library("matplotlib.backend_bases").FigureCanvasBase
    except ImportError as error:
        raise MissingExtra.of("--plot", "matplotlib", pip_line("report")) from error
    form, known = path.suffix[1:].lower() or "png", canvas.get_supported_filetypes()
    if form not in known:
        raise OutputRefused(f"{path}: there is no picture of this kind; {', '.join(known)} are")
    return form


def _draw_stages(axes: Any, benchmark: Benchmark) -> None:
    medians = benchmark.measurement.stage_medians
    total, left = sum(medians.values()), 0.0
    for stage, time in medians.items():
        axes.barh(
            0, time, left=left, color=_STAGE_COLOURS[stage], label=f"{stage} {time:.1f}", height=0.7
        )
        if time > _LABELLED * total:
            axes.text(left + time / 2, 0, stage, ha="center", va="center", color="white")
        left += time
    axes.axvline(benchmark.measurement.summary.median, color=_INK, linestyle="--", linewidth=1.2)
    axes.set(yticks=[], xlabel="median ms; dashed: end to end, by a clock of its own")
    axes.set_title("Stages", loc="left", fontsize=10)
    axes.legend(ncols=4, fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.4))
    _tidy(axes)


def _draw_order(axes: Any, benchmark: Benchmark) -> None:
    times, summary = benchmark.measurement.end_to_end, benchmark.measurement.summary
    axes.plot(np.arange(1, times.size + 1), times, ".", color=_STAGE_COLOURS["decode"])
    for name, value in (("median", summary.median), ("p95", summary.p95)):
        axes.axhline(value, color=_MUTED, linewidth=1)
        axes.annotate(
            f"{name} {value:.1f}",
            (1, value),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
            color=_INK,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1},
        )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="run", ylabel="ms end to end")
    axes.set_title("Times in order", loc="left", fontsize=10)
    _tidy(axes)


def _draw_spread(axes: Any, beside: Any, benchmark: Benchmark) -> None:
    axes.hist(
        benchmark.measurement.end_to_end,
        bins=20,
        orientation="horizontal",
        color=_STAGE_COLOURS["decode"],
    )
    axes.sharey(beside)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="runs")
    axes.set_title("Spread", loc="left", fontsize=10)
    _tidy(axes)


def _tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
