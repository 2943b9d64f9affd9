"""The segmentation decoder: U-Net++ with transposed convolutions (Zhou et al. 2018)."""

from .architecture import DECODER_EPSILON, DecoderBlock, decoder_blocks
from .layers import LayerWriter

LUNG_MASK = "lung_mask"
"""The tensor with the lung mask, float32 ``[N, 1, 512, 512]``."""


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
