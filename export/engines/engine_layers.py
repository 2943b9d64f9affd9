"""The layers of a finished engine and the precision that each one computes in.

They come from the engine inspector (JSON), or, where no GPU can load the engine,
from the list that the builder logs in the inspector's one-line form.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

_MATRIX_KIND = re.compile(r"conv|correlation|gemm|gett|matrixmultiply", re.IGNORECASE)
_FUSION_KIND = re.compile(r"fusion|myelin", re.IGNORECASE)
_MATRIX_IN_FUSION = re.compile(r"Corr|Conv|Fc|Gemm|Gett")
_PRECISIONS = (
    ("int8", re.compile(r"\bint8\b", re.IGNORECASE)),
    ("fp16", re.compile(r"\b(?:half|fp16|float16)\b", re.IGNORECASE)),
    ("bf16", re.compile(r"\b(?:bfloat16|bf16)\b", re.IGNORECASE)),
    ("fp32", re.compile(r"\b(?:float|fp32|float32|tf32)\b", re.IGNORECASE)),
)
_LINE = re.compile(r"^Name: (?P<name>.*?), LayerType: (?P<kind>\w*), Inputs: (?P<rest>.*)$", re.M)
_DATATYPE = re.compile(r"Datatype: (\w+)")


@dataclass(frozen=True)
class EngineLayer:
    """One layer: its name, its kind in the library's words, and its first input's precision."""

    name: str
    kind: str
    precision: str

    @property
    def is_matrix(self) -> bool:
        """Whether it is a convolution or a matrix product, where precision costs and gains."""
        if _MATRIX_KIND.search(self.kind):
            return True
        return bool(_FUSION_KIND.search(self.kind) and _MATRIX_IN_FUSION.search(self.name))

    def to_dict(self) -> dict[str, str]:
        """As it stands in the sidecar."""
        return {"name": self.name, "kind": self.kind, "precision": self.precision}


def layers_from_inspector(text: str) -> tuple[EngineLayer, ...]:
    """Read ``EngineInspector.get_engine_information`` in JSON; names alone give no precision."""
    entries: Any = json.loads(text)
    return tuple(_from_json(layer) for layer in entries.get("Layers", ()))


def layers_from_log(messages: Iterable[str]) -> tuple[EngineLayer, ...]:
    """Read the builder's own list of layers."""
    return tuple(layer for message in messages for layer in _from_lines(message))


def count_precisions(layers: Iterable[EngineLayer]) -> dict[str, int]:
    """How many convolutions and matrix products compute in each precision, most first."""
    counts = Counter(layer.precision for layer in layers if layer.is_matrix)
    return dict(counts.most_common())


def _from_json(layer: object) -> EngineLayer:
    if not isinstance(layer, Mapping):
        return EngineLayer(str(layer), "", "unknown")
    entries = cast(Mapping[str, Any], layer)
    tensors: list[Mapping[str, Any]] = [*entries.get("Inputs", ()), *entries.get("Constants", ())]
    first: Mapping[str, Any] = tensors[0] if tensors else dict[str, Any]()
    datatype = str(first.get("Datatype") or first.get("Format/Datatype", ""))
    return EngineLayer(
        str(entries.get("Name", "")), str(entries.get("LayerType", "")), _precision(datatype)
    )


def _from_lines(message: str) -> Iterator[EngineLayer]:
    for line in _LINE.finditer(message):
        datatype = _DATATYPE.search(line["rest"])
        yield EngineLayer(line["name"], line["kind"], _precision(datatype[1] if datatype else ""))


def _precision(datatype: str) -> str:
    for name, pattern in _PRECISIONS:
        if pattern.search(datatype):
            return name
    return "unknown"
