"""Whether a finished engine computes in the precision that its bundle carries.

Builders have written float32 engines for FP16 and INT8 requests without a word,
so the parsed network's own precisions are held against the engine's layers.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...runtime.errors import BundleError, EngineMismatch

_MATRIX = ("CONVOLUTION", "DECONVOLUTION", "MATRIX_MULTIPLY")
_NAMES = {"FLOAT": "fp32", "HALF": "fp16", "INT8": "int8", "BF16": "bf16"}


def asked_precisions(trt: Any, network: Any) -> dict[str, int]:
    """How many convolutions and matrix products of a parsed network ask for each precision.

    One whose input comes from a DequantizeLinear asks for INT8.
    """
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    quantized = {
        layer.get_output(0).name for layer in layers if layer.type == trt.LayerType.DEQUANTIZE
    }
    matrix = {getattr(trt.LayerType, name) for name in _MATRIX}
    inputs = [layer.get_input(0) for layer in layers if layer.type in matrix]
    counts = Counter("int8" if t.name in quantized else _precision(t.dtype) for t in inputs)
    return dict(counts.most_common())


def require_asked(precision: str, asked: Mapping[str, int]) -> None:
    """Check that a bundle's ONNX is what its manifest says.

    Raises
    ------
    BundleError
        No layer of the ONNX file asks for the manifest's precision.
    """
    if not asked.get(precision):
        raise BundleError(
            f"the bundle's precision is {precision}, but no layer of its model.onnx asks for it "
            f"(it has {_listing(asked)}); export the bundle again"
        )


def require_built(precision: str, asked: Mapping[str, int], built: Mapping[str, int]) -> None:
    """Check an engine's layers against the network it was built from.

    Fusion merges layers, so counts differ; an engine with less than half of the layers asked for
    in a reduced precision was not built in it.

    Raises
    ------
    EngineMismatch
        The engine computes in another precision; it must not be used as what it is called.
    """
    if not built:
        raise EngineMismatch("the engine's layers cannot be read, so its precision is unconfirmed")
    if precision != "fp32" and built.get(precision, 0) * 2 < asked.get(precision, 0):
        raise EngineMismatch(
            f"the engine was asked for in {precision} but computes otherwise: the network has "
            f"{_listing(asked)} convolutions and matrix products, the engine {_listing(built)}; "
            "nothing was written. Report the library's version"
        )


def require_linear_sampling(trt: Any, network: Any) -> None:
    """Check that the parser kept GridSample linear.

    Raises
    ------
    EngineMismatch
        It became nearest, as parsers up to TensorRT 11.1 do at opset 20.
    """
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        if layer.type == trt.LayerType.GRID_SAMPLE:
            # The bindings hand out the base class; its own attributes appear with the right one.
            layer.__class__ = trt.IGridSampleLayer
            if layer.interpolation_mode != trt.InterpolationMode.LINEAR:
                raise EngineMismatch(
                    f"{layer.name} was parsed as {layer.interpolation_mode}, not as linear; the "
                    "scores would be wrong. Export the bundle again (opset 17)"
                )


def _precision(dtype: Any) -> str:
    name = str(dtype.name)
    return _NAMES.get(name, name.lower())


def _listing(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items()) or "none"
