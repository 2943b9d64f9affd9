"""The structure of BS-Net with a ResNet-18 encoder: which weights it has, with which shapes.

Canonical names are those of the Keras layers that have fixed names; the layers
whose names carry session counters are called ``stn/...`` (alignment network)
and ``head{z}/...`` (zone heads, z in network order A D B E C F). Shapes are
Keras shapes: kernels HWIO, transposed convolutions HWOI.
Source: BrixIA/Brixia-score-COVID-19, src/BSNet; Signoroni et al. 2021, section 4.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ...runtime.contract import OUTPUTS, PROBABILITIES

Shape = tuple[int, ...]

STAGE_FILTERS = (64, 128, 256, 512)
UNITS = 2
BATCH_NORMALIZATION_WEIGHTS = ("gamma", "beta", "moving_mean", "moving_variance")
ENCODER_EPSILON = 2e-5
DECODER_EPSILON = 1e-3
HEAD_EPSILON = 1e-3
HEAD_BLOCKS = 3
HEAD_WIDTH = 8
HEADS, CLASSES = OUTPUTS[PROBABILITIES]


@dataclass(frozen=True)
class DecoderBlock:
    """One node of the U-Net++ decoder: upsample, concatenate the skips, convolve.

    Attributes
    ----------
    stage, column
        Its place in the grid; the layers are called ``decoder_stage{stage}-{column}_...``.
    source
        The tensor that is upsampled.
    source_channels, filters
        Channels of `source`, and of both convolutions' outputs.
    skips
        Tensors concatenated behind the upsampled one, with their channels.
    """

    stage: int
    column: int
    source: str
    source_channels: int
    filters: int
    skips: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        """The prefix of its layers' names."""
        return f"decoder_stage{self.stage}-{self.column}"

    @property
    def output(self) -> str:
        """The tensor it produces."""
        return f"{self.name}_relu2"


_DOWN = {
    2: ("stage1_unit2_relu1", 64),
    3: ("stage2_unit2_relu1", 128),
    4: ("stage3_unit2_relu1", 256),
    5: ("relu1", 512),
}
_SKIP = {
    2: ("relu0", 64),
    3: ("stage2_unit1_relu1", 64),
    4: ("stage3_unit1_relu1", 128),
    5: ("stage4_unit1_relu1", 256),
}
# The original indexes decoder_filters with n - i - 2, which wraps to the last entry for stage 5.
_FILTERS = {1: 32, 2: 64, 3: 128, 4: 256, 5: 16}


def decoder_blocks() -> tuple[DecoderBlock, ...]:
    """The eleven decoder blocks in an order in which each one's inputs exist."""
    blocks: dict[tuple[int, int], DecoderBlock] = {}
    for column in range(1, 5):
        for stage in range(2, 7 - column):
            blocks[stage, column] = _block(stage, column, blocks)
    last = blocks[2, 4]
    return (*blocks.values(), DecoderBlock(1, 5, last.output, last.filters, _FILTERS[1], ()))


def _block(stage: int, column: int, earlier: dict[tuple[int, int], DecoderBlock]) -> DecoderBlock:
    row = [earlier[stage, left] for left in range(1, column)]
    skips = (_SKIP[stage], *((block.output, block.filters) for block in row))
    below = earlier.get((stage + 1, column - 1))
    source, channels = (below.output, below.filters) if below else _DOWN[stage]
    return DecoderBlock(stage, column, source, channels, _FILTERS[stage], skips)


PYRAMID_REDUCTIONS = {"C1": (64, 64), "Cmid0": (128, 64), "Cmid1": (256, 128), "C5": (512, 256)}
"""1x1 convolutions of the feature pyramid: channels in and out of ``{key}_reduced``."""

PYRAMID_LEVELS = {"P1": (64, 64), "Pmid0": (64, 128), "Pmid1": (128, 256), "P5": (256, 512)}
"""3x3 convolutions of the feature pyramid: channels in and out."""


def weight_shapes() -> dict[str, Shape]:
    """Canonical name and Keras shape of all 352 weight tensors, in network order."""
    parts = (_encoder_shapes(), _decoder_shapes(), _alignment_shapes(), _pyramid_shapes())
    shapes = {name: shape for part in parts for name, shape in part}
    shapes.update(entry for head in range(HEADS) for entry in _head_shapes(head))
    return shapes


def _batch_normalization(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    for weight in BATCH_NORMALIZATION_WEIGHTS:
        yield f"{name}/{weight}", (channels,)


def _encoder_shapes() -> Iterator[tuple[str, Shape]]:
    for weight in BATCH_NORMALIZATION_WEIGHTS[1:]:
        yield f"bn_data/{weight}", (1,)
    yield "conv0/kernel", (7, 7, 1, 64)
    yield from _batch_normalization("bn0", 64)
    channels = 64
    for stage, filters in enumerate(STAGE_FILTERS, start=1):
        for unit in range(1, UNITS + 1):
            yield from _unit_shapes(f"stage{stage}_unit{unit}", unit, channels, filters)
            channels = filters
    yield from _batch_normalization("bn1", channels)


def _unit_shapes(name: str, unit: int, channels: int, filters: int) -> Iterator[tuple[str, Shape]]:
    yield from _batch_normalization(f"{name}_bn1", channels)
    yield f"{name}_conv1/kernel", (3, 3, channels, filters)
    yield from _batch_normalization(f"{name}_bn2", filters)
    yield f"{name}_conv2/kernel", (3, 3, filters, filters)
    if unit == 1:
        yield f"{name}_sc/kernel", (1, 1, channels, filters)


def _decoder_shapes() -> Iterator[tuple[str, Shape]]:
    for block in decoder_blocks():
        merged = block.filters + sum(channels for _, channels in block.skips)
        yield f"{block.name}_upsample/kernel", (4, 4, block.filters, block.source_channels)
        yield from _batch_normalization(f"{block.name}_bn1", block.filters)
        yield f"{block.name}_conv2/kernel", (3, 3, merged, block.filters)
        yield from _batch_normalization(f"{block.name}_bn2", block.filters)
    yield from _with_bias("final_conv", (3, 3, _FILTERS[1], 1))


def _alignment_shapes() -> Iterator[tuple[str, Shape]]:
    yield from _with_bias("stn/locnet_conv0", (5, 5, 1, 20))
    yield from _with_bias("stn/locnet_conv1", (5, 5, 20, 20))
    yield from _with_bias("stn/locnet_dense", (26 * 26 * 20, 50))
    yield from _with_bias("stn/locnet_alignment", (50, 6))


def _pyramid_shapes() -> Iterator[tuple[str, Shape]]:
    for key, (channels, filters) in PYRAMID_REDUCTIONS.items():
        yield from _with_bias(f"{key}_reduced", (1, 1, channels, filters))
    for key, (channels, filters) in PYRAMID_LEVELS.items():
        yield from _with_bias(key, (3, 3, channels, filters))


def _head_shapes(head: int) -> Iterator[tuple[str, Shape]]:
    channels = PYRAMID_LEVELS["P5"][1]
    for block in range(HEAD_BLOCKS):
        yield from _with_bias(f"head{head}/block{block}/conv", (3, 3, channels, HEAD_WIDTH))
        yield from _batch_normalization(f"head{head}/block{block}/bn", HEAD_WIDTH)
        channels = HEAD_WIDTH
    yield from _with_bias(f"head{head}/regressor", (3, 3, HEAD_WIDTH, CLASSES))


def _with_bias(name: str, kernel: Shape) -> Iterator[tuple[str, Shape]]:
    yield f"{name}/kernel", kernel
    yield f"{name}/bias", (kernel[-1],)
