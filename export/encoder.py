"""The encoder: a pre-activation ResNet-18 (He et al. 2016, arXiv 1603.05027)."""

from .architecture import ENCODER_EPSILON, STAGE_FILTERS, UNITS
from .layers import LayerWriter


def add_encoder(layers: LayerWriter, image: str) -> None:
    """Append the encoder; later parts read its ``relu0``, ``stage*_unit*_relu1`` and ``relu1``."""
    x = _normalize(layers, image, "bn_data")
    x = layers.convolution(x, "conv0", padding=3, stride=2)
    x = layers.relu(_normalize(layers, x, "bn0"), "relu0")
    x = layers.max_pool(x, "pooling0", size=3, stride=2, padding=1)
    for stage in range(1, len(STAGE_FILTERS) + 1):
        for unit in range(1, UNITS + 1):
            x = _unit(layers, x, stage, unit)
    layers.relu(_normalize(layers, x, "bn1"), "relu1")


def _unit(layers: LayerWriter, source: str, stage: int, unit: int) -> str:
    name = f"stage{stage}_unit{unit}"
    stride = 2 if unit == 1 and stage > 1 else 1
    activated = layers.relu(_normalize(layers, source, f"{name}_bn1"), f"{name}_relu1")
    x = layers.convolution(activated, f"{name}_conv1", padding=1, stride=stride)
    x = layers.relu(_normalize(layers, x, f"{name}_bn2"), f"{name}_relu2")
    x = layers.convolution(x, f"{name}_conv2", padding=1)
    shortcut = layers.convolution(activated, f"{name}_sc", stride=stride) if unit == 1 else source
    return layers.graph.add("Add", [x, shortcut], f"{name}_add")


def _normalize(layers: LayerWriter, source: str, name: str) -> str:
    return layers.batch_normalization(source, name, ENCODER_EPSILON)
