"""A bundle's parity report (``parity.json``) as a readable table."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..documents import (
    TEXT,
    Schema,
    having,
    list_of,
    map_of,
    number,
    optional,
    read_document,
    whole,
)
from ..errors import BundleError
from .bundle import Bundle

PARITY = "parity.json"

_FIGURE = optional(number())
_COUNT = whole(0, 1_000_000_000)
_CHANGE = having({"mean": _FIGURE, "p99": _FIGURE, "maximum": _FIGURE})
_ACCURACY = having({"zone_mae": _FIGURE, "global_mae": _FIGURE, "quadratic_kappa": _FIGURE})
_OUTPUT = having({"relative_l2": _FIGURE, "maximum": _FIGURE, "tolerance": _FIGURE})
_COMPARISON = having({"reference": TEXT, "images": _COUNT, "outputs": map_of(_OUTPUT, 100)})

_SCORES = having(
    {
        "images": _COUNT,
        "zone_agreement": _FIGURE,
        "expected_zone": _CHANGE,
        "expected_global": _CHANGE,
        "global_score": _CHANGE,
        "annotated_images": _COUNT,
        "reference_accuracy": optional(_ACCURACY),
        "accuracy": optional(_ACCURACY),
    }
)

SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "comparisons": list_of(_COMPARISON, 100),
        **dict.fromkeys(("scores", "signed_scores", "scores_with_nothing_put_back"), _SCORES),
        "not_measured": list_of(TEXT, 100),
        "layers": map_of(TEXT, 100_000),
        "put_back": list_of(TEXT, 100_000),
        "milliseconds": map_of(_FIGURE, 100),
    },
}
"""Of a parity report; which entries there are depends on the precision."""

_CHANGES = {
    "expected_zone": "expected zone score",
    "expected_global": "expected global score",
    "global_score": "global score",
}
_ACCURACIES = {
    "zone_mae": "zone MAE",
    "global_mae": "global MAE",
    "quadratic_kappa": "quadratic kappa",
}


def read_parity(bundle: Bundle) -> dict[str, Any]:
    """The bundle's parity report; empty when it has none.

    Raises
    ------
    BundleError
        It is none.
    """
    if PARITY not in bundle.manifest.files:
        return {}
    return read_document(bundle.root / PARITY, SCHEMA, BundleError, "export the bundle again")


def parity_lines(parity: Mapping[str, Any]) -> Iterator[str]:
    """Tables of a parity report: errors of the outputs, and what they cost in scores."""
    for comparison in parity.get("comparisons", ()):
        yield from _comparison(comparison)
    if "scores" in parity:
        yield from _scores(parity["scores"], "scores against fp32")
        yield from (f"  not measured: {what}" for what in parity.get("not_measured", ()))
    if "signed_scores" in parity:
        yield from _scores(parity["signed_scores"], "signed form for TensorRT, against fp32")
    if "layers" in parity:
        yield from _layers(parity)
    if "milliseconds" in parity:
        measured = parity["milliseconds"].items()
        times = ", ".join(f"{name} {_figure(value, '.0f')}" for name, value in measured)
        yield f"milliseconds an image where it was exported, ONNX Runtime: {times}"


def _comparison(comparison: Mapping[str, Any]) -> Iterator[str]:
    yield f"parity with the {comparison['reference']}, {comparison['images']} images"
    yield f"  {'output':<16}{'relative L2':>12}{'largest':>12}{'allowed L2':>12}"
    for name, error in comparison["outputs"].items():
        allowed = _figure(error["tolerance"], ".0e")
        relative, largest = (_figure(error[key], ".1e") for key in ("relative_l2", "maximum"))
        yield f"  {name:<16}{relative:>12}{largest:>12}{allowed:>12}"


def _figure(value: float | None, form: str) -> str:
    """A figure, or a hyphen where there is none."""
    return "-" if value is None else format(value, form)


def _scores(scores: Mapping[str, Any], title: str) -> Iterator[str]:
    yield f"{title}, {scores['images']} radiographs that calibration did not use"
    yield f"  zones with the same score {_figure(scores['zone_agreement'], '.2%')}"
    yield f"  {'change of the':<24}{'mean':>9}{'p99':>9}{'largest':>9}"
    for key, name in _CHANGES.items():
        figures = (_figure(scores[key][part], ".4f") for part in ("mean", "p99", "maximum"))
        yield f"  {name:<24}" + "".join(f"{figure:>9}" for figure in figures)
    if scores["reference_accuracy"] and scores["accuracy"]:
        yield f"  {'against the radiologist':<24}{'fp32':>9}{'this':>9}{'change':>9}"
        for key, name in _ACCURACIES.items():
            before, after = scores["reference_accuracy"][key], scores["accuracy"][key]
            change = None if before is None or after is None else after - before
            figures = _figure(before, ".4f"), _figure(after, ".4f"), _figure(change, "+.4f")
            yield f"  {name:<24}" + "".join(f"{figure:>9}" for figure in figures)


def _layers(parity: Mapping[str, Any]) -> Iterator[str]:
    counts = Counter(cast(Mapping[str, str], parity["layers"]).values())
    yield "layers: " + ", ".join(f"{count} {name}" for name, count in counts.items())
    if "put_back" in parity:
        yield f"  put back to float to keep the scores: {', '.join(parity['put_back']) or 'none'}"
