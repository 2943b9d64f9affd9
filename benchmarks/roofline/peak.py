"""The machine's peak through a runtime: large matrix products, and a sum that memory bounds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import BackendUnavailable, BenchmarkError, MissingExtra, pip_line
from .programs import Feeds, Program, load_program

SIZES = (1024, 1536, 2048)
"""Rows and columns of the square matrices that are multiplied."""

STREAMED = 16 * 2**20
"""Elements of the float32 vectors that are added: 64 MiB each, more than caches hold."""

_OPSET, _IR_VERSION = 17, 8


@dataclass(frozen=True)
class Yardstick:
    """A graph whose work is known, ready to be timed.

    Attributes
    ----------
    kind
        ``float32``, ``float16``, ``int8`` (matrix products) or ``memory``.
    told
        Its form and size, in words.
    work
        Multiply-accumulates of a run; of ``memory`` bytes read and written.
    program, feeds
        What is run.
    """

    kind: str
    told: str
    work: int
    program: Program
    feeds: Feeds

    def time(self) -> float:
        """Seconds of one run."""
        started = perf_counter()
        self.program.run(self.feeds)
        return perf_counter() - started


@dataclass(frozen=True)
class Peak:
    """The best that was reached.

    Attributes
    ----------
    rate
        10^9 multiply-accumulates (or, of ``memory``, bytes) per second.
    told
        Which graph reached it.
    """

    rate: float
    told: str


def yardsticks(backend: str, kinds: Iterable[str], threads: int | None = None) -> list[Yardstick]:
    """Load the graphs that measure the peak; each has run once.

    Parameters
    ----------
    backend
        ``onnxruntime`` or ``openvino``.
    kinds
        Those of `Yardstick` to measure.
    threads
        None takes all cores.

    Raises
    ------
    MissingExtra
        The backend or the package onnx is not installed.
    BenchmarkError
        The backend loads no form of a product.
    """
    found: list[Yardstick] = []
    for kind in kinds:
        loaded = [each for form in _forms(kind) for each in _load(backend, form, threads)]
        if not loaded:
            raise BenchmarkError(f"{backend} runs no matrix product in {kind}")
        found += loaded
    return found


def find_peaks(times: Iterable[tuple[Yardstick, Sequence[float]]]) -> dict[str, Peak]:
    """The highest rate of each kind: a peak is what the fastest run reached."""
    peaks: dict[str, Peak] = {}
    for yardstick, seconds in times:
        rate = yardstick.work / min(seconds) / 1e9
        best = peaks.get(yardstick.kind)
        if best is None or rate > best.rate:
            peaks[yardstick.kind] = Peak(rate, yardstick.told)
    return peaks


@dataclass(frozen=True)
class _Form:
    kind: str
    told: str
    work: int
    model: bytes
    feeds: Feeds


def _load(backend: str, form: _Form, threads: int | None) -> Iterator[Yardstick]:
    """The form as a yardstick, or nothing where the runtime does not know its operator."""
    try:
        program = load_program(backend, form.model, threads)
        program.run(form.feeds)
    except (BackendUnavailable, RuntimeError):
        return
    yield Yardstick(form.kind, form.told, form.work, program, form.feeds)


def _forms(kind: str) -> Iterator[_Form]:
    if kind == "memory":
        yield _sum_of_vectors()
        return
    for size in SIZES:
        for name in _PRODUCTS[kind]:
            model, feed = getattr(_Product(size), name)()
            told = f"{name.replace('_', ' ')}, {size} x {size} x {size}"
            yield _Form(kind, told, size**3, model, {"x": feed})


_PRODUCTS: Mapping[str, tuple[str, ...]] = {
    "float32": ("float_product",),
    "float16": ("half_product",),
    # Which of the two a runtime runs on integers differs; the better one counts.
    "int8": ("integer_product", "quantized_product"),
}

_Model = tuple[bytes, NDArray[np.generic]]
_Nodes = Sequence[tuple[str, list[str], list[str], Mapping[str, int]]]


class _Product:
    """The product of an input and a constant, both square, in several forms."""

    def __init__(self, size: int) -> None:
        generator = np.random.default_rng(0)
        self._size = size
        self._greys = generator.integers(0, 255, (size, size), np.uint8)
        self._weights = generator.integers(-127, 127, (size, size), np.int8)

    def float_product(self) -> _Model:
        return self._floats(np.float32)

    def half_product(self) -> _Model:
        return self._floats(np.float16)

    def integer_product(self) -> _Model:
        """uint8 by int8 to int32 (MatMulInteger)."""
        nodes: _Nodes = [("MatMulInteger", ["x", "w"], ["y"], {})]
        return _model(nodes, self._greys, np.dtype(np.int32), {"w": self._weights}), self._greys

    def quantized_product(self) -> _Model:
        """Float32 outside, QuantizeLinear and DequantizeLinear inside, weights per column."""
        constants = {
            "w": self._weights,
            "scale": np.array(1 / 255, np.float32),
            "zero": np.array(0, np.uint8),
            "scales": np.full(self._size, 0.01, np.float32),
            "zeros": np.zeros(self._size, np.int8),
        }
        nodes: _Nodes = [
            ("QuantizeLinear", ["x", "scale", "zero"], ["q"], {}),
            ("DequantizeLinear", ["q", "scale", "zero"], ["d"], {}),
            ("DequantizeLinear", ["w", "scales", "zeros"], ["v"], {"axis": 1}),
            ("MatMul", ["d", "v"], ["y"], {}),
        ]
        x = (self._greys / np.float32(255)).astype(np.float32)
        return _model(nodes, x, x.dtype, constants), x

    def _floats(self, dtype: type[np.float32] | type[np.float16]) -> _Model:
        x, weights = (self._greys / 255).astype(dtype), (self._weights / 127).astype(dtype)
        return _model([("MatMul", ["x", "w"], ["y"], {})], x, x.dtype, {"w": weights}), x


def _sum_of_vectors() -> _Form:
    x = np.ones(STREAMED, np.float32)
    model = _model([("Add", ["x", "other"], ["y"], {})], x, x.dtype, {}, inputs=("x", "other"))
    return _Form("memory", "sum of two vectors", 3 * x.nbytes, model, {"x": x, "other": x.copy()})


def _model(
    nodes: _Nodes,
    x: NDArray[np.generic],
    output: np.dtype[Any],
    constants: Mapping[str, NDArray[Any]],
    inputs: tuple[str, ...] = ("x",),
) -> bytes:
    """An ONNX file whose inputs and output have the shape of `x`."""
    try:
        helper: Any = import_module("onnx.helper")
    except ImportError as error:
        raise MissingExtra.of("measuring the machine's peak", "onnx", pip_line("export")) from error
    numpy_helper: Any = import_module("onnx.numpy_helper")

    def tensor(name: str, dtype: np.dtype[Any]) -> Any:
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), x.shape)

    graph = helper.make_graph(
        [helper.make_node(kind, read, written, **how) for kind, read, written, how in nodes],
        "yardstick",
        [tensor(name, x.dtype) for name in inputs],
        [tensor("y", output)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", _OPSET)]
    model: Any = helper.make_model(graph, opset_imports=imports, ir_version=_IR_VERSION)
    return model.SerializeToString()
