"""Which part of BS-Net a node belongs to, told from its name.

The exporter names nodes after the Keras layers of the original, as ``export/network/architecture``;
runtimes that fuse or rename a node keep that name as a prefix. The plain and the
rewritten graph, float32 and INT8, are told apart by the same rules.
"""

import re
from dataclasses import dataclass

OTHER = "other"
"""The group of what no rule knows."""

GROUPS = ("encoder", "decoder", "alignment", "pyramid", "heads", OTHER)
"""Parts of the network in the order of execution; `alignment` finds the map and samples by it."""


@dataclass(frozen=True)
class Layer:
    """Where a node belongs.

    Attributes
    ----------
    group
        One of `GROUPS`.
    block
        The building block within it, as ``decoder_stage2-4`` or ``stage1_unit2``.
    """

    group: str
    block: str


_RULES: tuple[tuple[str, str, str], ...] = (
    # What is sampled is called after the encoder's tensor, so these come before the encoder.
    (r"stage\d_unit\d_relu1/aligned", "alignment", "sampling"),
    (r"aligned_mask|alignment|zones\d+", "alignment", "sampling"),
    (r"stn/", "alignment", "stn"),
    (r"decoder_(stage\d-\d)", "decoder", "decoder_{}"),
    (r"merge_(\d-\d)", "decoder", "decoder_stage{}"),
    (r"final_conv|lung_mask", "decoder", "final_conv"),
    (r"(stage\d_unit\d)_", "encoder", "{}"),
    (r"conv0|bn_data|bn0|relu0|pooling0|image(?:/|$)", "encoder", "conv0"),
    (r"bn1|relu1", "encoder", "bn1"),
    (r"(C1|Cmid0|Cmid1|C5)_reduced", "pyramid", "{}_reduced"),
    (r"(P1|Pmid0|Pmid1|P5)(?:_|/|$)", "pyramid", "{}"),
    (r"pyramid/", "heads", "heads"),
    (r"head(?:s|\d)/|zone_evidence|zone_logits|probabilities", "heads", "heads"),
)
_PATTERNS = tuple((re.compile(rule), group, block) for rule, group, block in _RULES)


def layer_of(name: str) -> Layer:
    """The layer of a node or a tensor; unknown names belong to `OTHER`."""
    name = name.removeprefix("fused ")  # ONNX Runtime's prefix of fused Gemm nodes
    for pattern, group, block in _PATTERNS:
        if found := pattern.match(name):
            return Layer(group, block.format(*found.groups()))
    return Layer(OTHER, OTHER)
