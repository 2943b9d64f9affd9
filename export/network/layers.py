"""Keras layers written as ONNX nodes, with Keras weights turned to ONNX layouts."""

import numpy as np
from numpy.typing import NDArray

from ..graph.graph import Graph
from .weights import WeightStore


class LayerWriter:
    """Appends layers to a graph, taking each layer's weights by its canonical name."""

    def __init__(self, graph: Graph, weights: WeightStore) -> None:
        self.graph = graph
        self.weights = weights

    def convolution(
        self,
        source: str,
        name: str,
        *,
        padding: int = 0,
        stride: int = 1,
        tensor: str | None = None,
    ) -> str:
        """Conv2D; the kernel ``{name}/kernel`` is HWIO, the bias optional."""
        kernel = self.weights[f"{name}/kernel"].transpose(3, 2, 0, 1)
        inputs = [source, self.graph.constant(f"{name}/kernel", np.ascontiguousarray(kernel))]
        if f"{name}/bias" in self.weights.tensors:
            inputs.append(self.graph.constant(f"{name}/bias", self.weights[f"{name}/bias"]))
        return self.graph.add(
            "Conv",
            inputs,
            tensor or name,
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            pads=[padding] * 4,
        )

    def transposed_convolution(self, source: str, name: str) -> str:
        """Conv2DTranspose 4x4, stride 2, ``same``; the kernel is HWOI, ONNX wants IOHW."""
        kernel = self.weights[f"{name}/kernel"].transpose(3, 2, 0, 1)
        constant = self.graph.constant(f"{name}/kernel", np.ascontiguousarray(kernel))
        return self.graph.add(
            "ConvTranspose",
            [source, constant],
            name,
            kernel_shape=[4, 4],
            strides=[2, 2],
            pads=[1, 1, 1, 1],
        )

    def batch_normalization(self, source: str, name: str, epsilon: float) -> str:
        """BatchNormalization with moving statistics; a layer without scale has no gamma."""
        mean = self.weights[f"{name}/moving_mean"]
        gamma = self.weights.tensors.get(f"{name}/gamma", np.ones_like(mean))
        values = {
            "gamma": gamma,
            "beta": self.weights[f"{name}/beta"],
            "moving_mean": mean,
            "moving_variance": self.weights[f"{name}/moving_variance"],
        }
        inputs = [self.graph.constant(f"{name}/{key}", value) for key, value in values.items()]
        return self.graph.add("BatchNormalization", [source, *inputs], name, epsilon=epsilon)

    def dense(self, source: str, name: str, kernel: NDArray[np.float32] | None = None) -> str:
        """Dense layer; `kernel` replaces the stored one where its rows must be reordered."""
        kernel = self.weights[f"{name}/kernel"] if kernel is None else kernel
        inputs = [
            source,
            self.graph.constant(f"{name}/kernel", np.ascontiguousarray(kernel)),
            self.graph.constant(f"{name}/bias", self.weights[f"{name}/bias"]),
        ]
        return self.graph.add("Gemm", inputs, name)

    def relu(self, source: str, name: str) -> str:
        """ReLU."""
        return self.graph.add("Relu", [source], name)

    def swish(self, source: str, name: str) -> str:
        """``x * sigmoid(x)``."""
        gate = self.graph.add("Sigmoid", [source], f"{name}/sigmoid")
        return self.graph.add("Mul", [source, gate], name)

    def max_pool(self, source: str, name: str, size: int, stride: int, padding: int = 0) -> str:
        """Max pooling; padding cells never win, as with Keras's zeros on a ReLU's output."""
        return self.graph.add(
            "MaxPool",
            [source],
            name,
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[padding] * 4,
        )

    def resize(self, source: str, name: str, scale: float) -> str:
        """``tf.image.resize`` bilinear by `scale`: half-pixel centres, no antialias."""
        scales = np.array([1, 1, scale, scale], np.float32)
        return self.graph.add(
            "Resize",
            [source, "", self.graph.constant(f"{name}/scales", scales)],
            name,
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
