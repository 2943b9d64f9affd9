"""The weights of one BS-Net under canonical names, whole and checked.

Layer names in a Keras file carry session counters (``stn_1``,
``retina_net_classifier_7``, ``conv2d_31``), so tensors are told apart by where
they stand and by the numeric order of the counters, never by the literal name.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import WeightsError
from ...runtime.files import digest
from ...runtime.plain_text import shortened
from .architecture import weight_shapes
from .keras_file import SavedWeight
from .weights_process import read_in_process

Weights = Mapping[str, NDArray[np.float32]]
Reader = Callable[[Path], list[SavedWeight]]

_COUNTER = "[0-9]{1,18}"
_HEAD = re.compile(f"retina_net_classifier(?:_{_COUNTER})?")
_BLOCK = re.compile(f"conv_block(?:_{_COUNTER})?")
_ALIGNMENT = re.compile(r"(locnet_[a-z0-9]+)/(kernel|bias)")
_COUNTED = re.compile(f"(?:conv2d|batch_normalization)(?:_{_COUNTER})?")
_MOST_LISTED = len(weight_shapes())
_ALIGNMENT_LAYERS = ("locnet_conv0", "locnet_conv1", "locnet_dense", "locnet_alignment")


@dataclass(frozen=True)
class WeightStore:
    """All weights of one BS-Net.

    Attributes
    ----------
    tensors
        float32 arrays in Keras shapes by canonical name; exactly those of
        `architecture.weight_shapes`.
    """

    tensors: Weights

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self.tensors[name]

    @property
    def digest(self) -> str:
        """SHA-256 over names, shapes and values; the same for every file that holds them."""
        return digest(self._parts())

    def _parts(self) -> Iterator[bytes]:
        for name in sorted(self.tensors):
            value = np.ascontiguousarray(self.tensors[name], dtype="<f4")
            yield f"{name} {value.shape}\n".encode()
            yield value.tobytes()


def load_weights(
    score: Path,
    segmentation: Path | None = None,
    alignment: Path | None = None,
    read: Reader = read_in_process,
) -> WeightStore:
    """Read a whole BS-Net from one file, or from up to three that agree.

    Parameters
    ----------
    score
        The score model's file; the original saves the whole network in it.
    segmentation, alignment
        Files of those parts, as the original keeps them beside the score file.
    read
        Reads a file's weights.

    Raises
    ------
    WeightsError
        A file cannot be read, two files disagree, or the union is not exactly a BS-Net; the
        message lists every missing, surplus and misshapen weight.
    """
    merged: dict[str, NDArray[np.float32]] = {}
    surplus: list[str] = []
    readers: tuple[tuple[Path | None, Callable[[list[SavedWeight]], _Named]], ...] = (
        (score, _name_all),
        (segmentation, _name_all),
        (alignment, _name_alignment),
    )
    for path, name_all in readers:
        if path is not None:
            named = name_all(read(path))
            _merge(merged, named.tensors, path)
            surplus += [f"{shortened(name)} (in {path.name})" for name in named.surplus]
    _check(merged, surplus, score)
    return WeightStore(merged)


@dataclass(frozen=True)
class _Named:
    tensors: dict[str, NDArray[np.float32]]
    surplus: list[str]


def _name_alignment(saved: list[SavedWeight]) -> _Named:
    """Name an alignment file's weights; the original reads such a file by order alone."""
    named = _name_all(saved)
    layers = list(dict.fromkeys(weight.layer for weight in saved))
    if not named.tensors and len(layers) == len(_ALIGNMENT_LAYERS):
        names = dict(zip(layers, _ALIGNMENT_LAYERS, strict=True))
        ordered = {f"stn/{names[w.layer]}/{_kind(w)}": w.value for w in saved}
        return _Named(ordered, [])
    return named


def _name_all(saved: list[SavedWeight]) -> _Named:
    heads = _ranks(weight.layer for weight in saved if _HEAD.fullmatch(weight.layer))
    blocks = {layer: _ranks(_block_names(saved, layer)) for layer in heads}
    known = weight_shapes()
    tensors: dict[str, NDArray[np.float32]] = {}
    surplus: list[str] = []
    for weight in saved:
        name = _canonical(weight, heads, blocks)
        if name in known and name not in tensors:
            tensors[name] = weight.value
        else:
            surplus.append(weight.name)
    return _Named(tensors, surplus)


def _canonical(
    weight: SavedWeight, heads: Mapping[str, int], blocks: Mapping[str, Mapping[str, int]]
) -> str:
    if weight.layer in heads:
        return _head_name(weight, heads[weight.layer], blocks[weight.layer])
    if match := _ALIGNMENT.search(weight.name):
        return f"stn/{match[1]}/{match[2]}"
    return "/".join(weight.name.split(":")[0].split("/")[-2:])


def _head_name(weight: SavedWeight, head: int, blocks: Mapping[str, int]) -> str:
    block = next((part for part in weight.name.split("/") if part in blocks), None)
    parts = [part for part in weight.name.split("/") if _COUNTED.fullmatch(part)]
    if block is None:
        return f"head{head}/regressor/{_kind(weight)}"
    layer = "conv" if parts and parts[-1].startswith("conv2d") else "bn"
    return f"head{head}/block{blocks[block]}/{layer}/{_kind(weight)}"


def _kind(weight: SavedWeight) -> str:
    return weight.name.rsplit("/", 1)[-1].split(":")[0]


def _block_names(saved: Iterable[SavedWeight], layer: str) -> Iterator[str]:
    for weight in saved:
        if weight.layer == layer:
            yield from (part for part in weight.name.split("/") if _BLOCK.fullmatch(part))


def _ranks(names: Iterable[str]) -> dict[str, int]:
    """Number layers that differ only in their session counter, in the counter's order."""
    counters = {
        name: int(match[1]) if (match := re.search(f"_({_COUNTER})$", name)) else 0
        for name in names
    }
    return {name: rank for rank, name in enumerate(sorted(counters, key=counters.__getitem__))}


def _merge(
    merged: dict[str, NDArray[np.float32]], new: Mapping[str, NDArray[np.float32]], path: Path
) -> None:
    disagreeing = [
        name
        for name, value in new.items()
        if name in merged and not np.array_equal(merged[name], value)
    ]
    if disagreeing:
        raise WeightsError(
            f"{path} disagrees with the files before it on {_listing(disagreeing)}; "
            "give files of one training run, or the score file alone"
        )
    merged.update(new)


def _check(tensors: Weights, surplus: list[str], path: Path) -> None:
    expected = weight_shapes()
    missing = [name for name in expected if name not in tensors]
    misshapen = [
        f"{name} {tensors[name].shape}, expected {shape}"
        for name, shape in expected.items()
        if name in tensors and tensors[name].shape != shape
    ]
    not_finite = [name for name, value in tensors.items() if not np.isfinite(value).all()]
    faults = {
        "missing": missing,
        "surplus": surplus,
        "misshapen": misshapen,
        "not finite": not_finite,
    }
    found = [f"{len(names)} {fault}: {_listing(names)}" for fault, names in faults.items() if names]
    if found:
        raise WeightsError(
            f"{path} does not hold exactly the {len(expected)} weights of BS-Net with a ResNet-18 "
            "encoder:\n  " + "\n  ".join(found)
        )


def _listing(names: Iterable[str]) -> str:
    """Up to all names that a BS-Net has; a file from elsewhere may hold any number of others."""
    listed = list(names)
    more = f" and {len(listed) - _MOST_LISTED} more" if len(listed) > _MOST_LISTED else ""
    return ", ".join(listed[:_MOST_LISTED]) + more
