"""Small files of weights, in order and odd: what the fuzz tests mutate."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

h5py: Any = import_module("h5py")  # its types are incomplete

Fill = Callable[[Any], object]
"""Does something to a file that is open."""

_LAYERS = {
    "conv0": ("conv0/kernel:0", "conv0/bias:0"),
    "stn_1": ("stn_1/locnet_dense/kernel:0",),
    "retina_net_classifier_3": (
        "retina_net_classifier_3/conv_block_4/conv2d_9/kernel:0",
        "retina_net_classifier_3/conv2d_12/bias:0",
    ),
}
_KINDS = ("f2", "f8", "i1", "i8", "u2", "?", "c8", "S4", "V8")
_NAMES = (
    *("", "/", ".", "..", "../..", "a//b", "\ud800", "ä" * 200, "/" * 3000),
    "conv2d_" + "9" * 6000,
)
_COUNTED = ("retina_net_classifier_" + "9" * 6000, "retina_net_classifier_\u0663", "a/b" * 2000)


@cache
def keras_files() -> Sequence[bytes]:
    """The content of each file."""
    return [_written(fill) for fill in _fills()]


def _written(fill: Fill) -> bytes:
    file: Any = h5py.File("memory", "w", driver="core", backing_store=False)
    with file:
        _fill(file)
        fill(file)
        file.flush()
        return file.id.get_file_image()


def _fill(group: Any) -> None:
    group.attrs["layer_names"] = [name.encode() for name in _LAYERS]
    for layer, weights in _LAYERS.items():
        inner = group.create_group(layer)
        inner.attrs["weight_names"] = [name.encode() for name in weights]
        for number, name in enumerate(weights):
            packed = {"chunks": (2, 2), "compression": "gzip", "shuffle": True} if number else {}
            inner.create_dataset(name, data=np.arange(12.0, dtype="f4").reshape(3, 4), **packed)


def _fills() -> Iterator[Fill]:
    """What is done to a file that is in order; half of the files are left so."""
    yield from (_unchanged,) * 30
    yield from (_nested, _split, _cycle, _texts, _references, _nothing, _not_finite, _without_names)
    yield from (_with(kind) for kind in _KINDS)
    yield from (_named("layer_names", name) for name in (*_NAMES, *_COUNTED))
    yield from (_named("weight_names", name) for name in _NAMES)
    yield from (_of_shape(shape) for shape in ((), (0,), (10**6, 10**6), (1,) * 32, (2**40, 0)))
    links = h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/")
    yield from (_linked(link) for link in links)
    yield from (_external, _virtual)


def _unchanged(_: Any) -> None:
    """Leave the file in order."""


def _put(file: Any, *shape: object, **values: Any) -> None:
    """Write a dataset in the first one's place."""
    name = _LAYERS["conv0"][0]
    del file["conv0"][name]
    file["conv0"].create_dataset(name, *shape, **values)


def _nested(file: Any) -> None:
    file.clear()
    del file.attrs["layer_names"]
    _fill(file.create_group("model_weights"))


def _split(file: Any) -> None:
    names = file.attrs["layer_names"]
    del file.attrs["layer_names"]
    for number, piece in enumerate((names[:2], names[2:], "text", 5, np.zeros((2, 2)))):
        file.attrs[f"layer_names{number}"] = piece


def _cycle(file: Any) -> None:
    file["conv0"]["again"] = file["conv0"]
    file["conv0"].attrs["weight_names"] = [b"again/" * 500 + b"conv0/kernel:0"]


def _texts(file: Any) -> None:
    _put(file, data=["a"], dtype=h5py.string_dtype())


def _references(file: Any) -> None:
    _put(file, data=file.ref, dtype=h5py.ref_dtype)


def _nothing(file: Any) -> None:
    _put(file, data=h5py.Empty("f4"))
    file["stn_1"].attrs["weight_names"] = h5py.Empty("S4")


def _not_finite(file: Any) -> None:
    _put(file, data=[np.nan, np.inf])


def _without_names(file: Any) -> None:
    del file["conv0"].attrs["weight_names"]


def _with(kind: str) -> Fill:
    return lambda file: _put(file, data=np.zeros((2, 2), kind))


def _of_shape(shape: tuple[int, ...]) -> Fill:
    return lambda file: _put(file, shape, dtype="f4")


def _external(file: Any) -> None:
    _put(file, (4,), "f4", external=[("/etc/passwd", 0, 16)])


def _virtual(file: Any) -> None:
    layout: Any = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4,))
    file["conv0"].create_virtual_dataset("virtual", layout)
    file["conv0"].attrs["weight_names"] = [b"virtual"]


def _linked(link: Any) -> Fill:
    def fill(file: Any) -> None:
        file["conv0"]["link"] = link
        file["conv0"].attrs["weight_names"] = [b"link"]

    return fill


def _named(attribute: str, name: str) -> Fill:
    encoded = name.encode("utf-8", "surrogatepass")

    def fill(file: Any) -> None:
        group = file if attribute == "layer_names" else file["conv0"]
        if name.strip("/.") and name.isprintable():
            inner = group.require_group(encoded)
            inner.attrs["weight_names"] = [b"kernel:0"]
            inner.create_dataset("kernel:0", data=np.zeros(3, "f4"))
        group.attrs[attribute] = np.array([encoded, b"conv0"])

    return fill
