"""A bundle's parity report (``parity.json``) as a readable table."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

from .bundle import Bundle

PARITY = "parity.json"

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
    """The bundle's parity report; empty when it has none."""
    if PARITY not in bundle.manifest.files:
        return {}
    return cast(dict[str, Any], json.loads((bundle.root / PARITY).read_text(encoding="utf-8")))


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
        times = ", ".join(f"{name} {value:.0f}" for name, value in parity["milliseconds"].items())
        yield f"milliseconds an image where it was exported, ONNX Runtime: {times}"


def _comparison(comparison: Mapping[str, Any]) -> Iterator[str]:
    yield f"parity with the {comparison['reference']}, {comparison['images']} images"
    yield f"  {'output':<16}{'relative L2':>12}{'largest':>12}{'allowed L2':>12}"
    for name, error in comparison["outputs"].items():
        allowed = "-" if error["tolerance"] is None else f"{error['tolerance']:.0e}"
        yield (f"  {name:<16}{error['relative_l2']:>12.1e}{error['maximum']:>12.1e}{allowed:>12}")


def _scores(scores: Mapping[str, Any], title: str) -> Iterator[str]:
    yield f"{title}, {scores['images']} radiographs that calibration did not use"
    yield f"  zones with the same score {scores['zone_agreement']:.2%}"
    yield f"  {'change of the':<24}{'mean':>9}{'p99':>9}{'largest':>9}"
    for key, name in _CHANGES.items():
        change = scores[key]
        yield f"  {name:<24}{change['mean']:>9.4f}{change['p99']:>9.4f}{change['maximum']:>9.4f}"
    if scores["annotated_images"]:
        yield f"  {'against the radiologist':<24}{'fp32':>9}{'this':>9}{'change':>9}"
        for key, name in _ACCURACIES.items():
            before, after = scores["reference_accuracy"][key], scores["accuracy"][key]
            yield f"  {name:<24}{before:>9.4f}{after:>9.4f}{after - before:>+9.4f}"


def _layers(parity: Mapping[str, Any]) -> Iterator[str]:
    counts = Counter(cast(Mapping[str, str], parity["layers"]).values())
    yield "layers: " + ", ".join(f"{count} {name}" for name, count in counts.items())
    if "put_back" in parity:
        yield f"  put back to float to keep the scores: {', '.join(parity['put_back']) or 'none'}"
