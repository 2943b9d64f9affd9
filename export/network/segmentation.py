"""Segmentation: a pre-activation ResNet-18 as the encoder, a U-Net++ as the decoder.

He et al. 2016, arXiv 1603.05027; Zhou et al. 2018, arXiv 1807.10165, with transposed convolutions.
"""

from ...runtime.contract import LUNG_MASK
from .architecture import (
    DECODER_EPSILON,
    ENCODER_EPSILON,
    STAGE_FILTERS,
    UNITS,
    DecoderBlock,
    decoder_blocks,
)
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


def add_decoder(layers: LayerWriter) -> str:
    """Append the decoder behind the encoder; returns the sigmoid lung mask's name."""
    for block in decoder_blocks():
        _add_block(layers, block)
    logits = layers.convolution(decoder_blocks()[-1].output, "final_conv", padding=1)
    return layers.graph.add("Sigmoid", [logits], LUNG_MASK)


def _add_block(layers: LayerWriter, block: DecoderBlock) -> None:
    x = layers.transposed_convolution(block.source, f"{block.name}_upsample")
    x = layers.batch_normalization(x, f"{block.name}_bn1", DECODER_EPSILON)
    x = layers.relu(x, f"{block.name}_relu1")
    if block.skips:
        merged = [x, *(tensor for tensor, _ in block.skips)]
        x = layers.graph.add("Concat", merged, f"merge_{block.stage}-{block.column}", axis=1)
    x = layers.convolution(x, f"{block.name}_conv2", padding=1)
    x = layers.batch_normalization(x, f"{block.name}_bn2", DECODER_EPSILON)
    layers.relu(x, block.output)
