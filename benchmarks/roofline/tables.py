"""The roofline as tables, for a terminal or a page."""

from collections.abc import Iterator

from ...runtime.results import LIGHT, kind_of
from ..tables import MakeTable
from .measure import Part, Roofline

BLOCKS = 12
"""Blocks in the table: those with the most time above their floor."""

OPERATORS = 10


def roofline_lines(roofline: Roofline, make: MakeTable) -> Iterator[str]:
    """Write a roofline: the peak, the groups, the blocks with the largest gap, the operators."""
    yield _heading(roofline)
    yield ""
    yield from _peaks(roofline, make)
    yield ""
    yield from groups_table(roofline, make)
    yield ""
    yield f"The {BLOCKS} blocks with the most time above their floor:"
    yield ""
    yield from make(_PART_HEADER, [_part(part) for part in roofline.blocks[:BLOCKS]])
    yield ""
    yield "By operator, as the runtime calls them:"
    yield ""
    rows = [
        [part.name, f"{part.measured:.1f}", f"{part.measured / roofline.profiled:.1%}"]
        for part in roofline.operators[:OPERATORS]
    ]
    yield from make(("operator", "ms", "share of time"), rows)


def groups_table(roofline: Roofline, make: MakeTable) -> list[str]:
    """The network and its parts."""
    parts = [part for part in roofline.groups if part.measured or part.gmac]
    return make(_PART_HEADER, [_part(part) for part in (roofline.total, *parts)])


_PART_HEADER = (
    "part",
    "GMAC",
    "weights, MB",
    "activations, MB",
    "floor, ms",
    "measured, ms",
    "share of peak",
    "above floor, ms",
)


def _heading(roofline: Roofline) -> str:
    kind = kind_of(roofline.precision, roofline.variant == LIGHT)
    return (
        f"{roofline.bundle} {kind} on {roofline.backend}: "
        f"{roofline.network:.1f} ms an image, floor {roofline.total.floor:.1f} ms, "
        f"{roofline.total.share:.0%} of the peak. With the profile on, the parts take "
        f"{roofline.profiled:.1f} ms together. To move the products' operands and results once "
        f"through memory takes {roofline.memory_floor:.1f} ms."
    )


def _peaks(roofline: Roofline, make: MakeTable) -> list[str]:
    rows = [
        [kind, f"{peak.rate:.0f}", "GB/s" if kind == "memory" else "GMAC/s", peak.told]
        for kind, peak in roofline.peaks.items()
    ]
    return make(("peak", "reached", "unit", "by"), rows)


def _part(part: Part) -> list[str]:
    return [
        part.name,
        f"{part.gmac:.2f}",
        f"{part.weight_bytes / 1e6:.1f}",
        f"{part.activation_bytes / 1e6:.1f}",
        f"{part.floor:.1f}",
        f"{part.measured:.1f}",
        f"{part.share:.0%}",
        f"{part.gap:.1f}",
    ]
