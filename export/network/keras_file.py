"""Keras HDF5 files of the original BS-Net, read as named tensors.

The original is saved by TensorFlow 2.x either with ``save_weights`` (layers at
the file's root) or as a full model (layers under ``model_weights``). HDF5
limits an attribute to 64 kB, so Keras splits long name lists into
``layer_names0``, ``layer_names1`` and so on.

An HDF5 file can name other files, whose content HDF5 then gives as its own: by external links,
virtual datasets and external storage. A weights file from a stranger could so have any file of
this machine read into a bundle, so whatever is no plain group or dataset of the file itself is
refused. It can also declare any size, so sizes are looked at before memory is taken.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import WeightsError
from ...runtime.files import open_regular, why
from ...runtime.libraries import import_library
from ...runtime.plain_text import shortened
from .architecture import weight_shapes

h5py = import_library("h5py")  # has no type information

LARGEST_FILE = 2 << 30
"""Bytes; a BS-Net saved as a full model, with its optimiser's state, takes 0.3 GB."""

_SIZES = tuple(prod(shape) for shape in weight_shapes().values())
_LARGEST_WEIGHT = max(_SIZES)
_MOST_NAMES = 3 * len(_SIZES)
_LONGEST_NAME = 200  # characters
_MOST_VALUES = 3 * sum(_SIZES)
_LARGEST_CHUNK = 64 << 20  # bytes that are unpacked at once
_LARGEST_ATTRIBUTE = 16 << 20  # bytes of a list of names


@dataclass(frozen=True)
class SavedWeight:
    """One tensor of a Keras file.

    Attributes
    ----------
    layer
        The top-level layer it belongs to, with its session counter.
    name
        The weight's own name, as saved, for instance ``conv0/kernel:0``.
    value
        float32, Keras shape.
    """

    layer: str
    name: str
    value: NDArray[np.float32]


def read_keras_file(path: Path) -> list[SavedWeight]:
    """Read every weight of a Keras HDF5 file, in the file's order.

    Raises
    ------
    WeightsError
        The file cannot be opened, is not HDF5, or is not laid out as Keras 2 does.
    """
    try:
        with open_regular(path) as opened:
            size = os.fstat(opened.fileno()).st_size
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be opened: {why(error)}; give the .h5 file itself"
        ) from error
    if size > LARGEST_FILE:
        raise WeightsError(
            f"{path} is longer than {LARGEST_FILE:,} bytes, the most that are read; give the .h5 "
            "file that BS-Net was saved to"
        )
    try:
        with h5py.File(path, "r") as file:
            return list(_weights(_layer_group(file, path), path))
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{path} cannot be read as a Keras HDF5 weight file ({type(error).__name__}); "
            "give the .h5 file that BS-Net was saved to, undamaged"
        ) from error


def _layer_group(file: Any, path: Path) -> Any:
    nested = not _has_attribute(file, "layer_names") and "model_weights" in file
    group = _own(file, "model_weights", path) if nested else file
    if not _has_attribute(group, "layer_names"):
        raise WeightsError(
            f"{path} has no 'layer_names' attribute, neither at its root nor under "
            "'model_weights', so it is no Keras 2 weight file; save the model with "
            "TensorFlow 2.x: model.save_weights('bscore-model.h5')"
        )
    return group


def _weights(group: Any, path: Path) -> Iterator[SavedWeight]:
    count, values = 0, 0
    for layer in _names(group, "layer_names", path):
        layer_group = _own(group, layer, path)
        for name in _names(layer_group, "weight_names", path):
            value = _values(_own(layer_group, name, path), name, path)
            count, values = count + 1, values + value.size
            if count > _MOST_NAMES or values > _MOST_VALUES:
                raise WeightsError(f"{path} has more weights than any BS-Net; save it again")
            yield SavedWeight(layer, name, value)


def _own(group: Any, name: str, path: Path) -> Any:
    """What a group holds under a name, which may lead through groups within it.

    Raises
    ------
    WeightsError
        A link leads to it, which may lead out of the file.
    """
    found, shown = group, shortened(name)
    for part in filter(None, name.split("/")):
        if not isinstance(found, h5py.Group) or part not in found:
            raise WeightsError(
                f"{path} lacks '{shortened(name)}', which it names; save the weights again"
            )
        if not isinstance(found.get(part, getlink=True), h5py.HardLink):
            raise WeightsError(
                f"{path} has a link to '{shown}', which could lead to another file; save the "
                "weights themselves"
            )
        found = found[part]
    return found


def _values(dataset: Any, name: str, path: Path) -> NDArray[np.float32]:
    """The values of a dataset, which are its own and of a size that a BS-Net has.

    Raises
    ------
    WeightsError
        They are not.
    """
    shown = shortened(name)
    if not isinstance(dataset, h5py.Dataset):
        raise WeightsError(f"{path} has no values for '{shown}'; save the weights again")
    if dataset.is_virtual or dataset.external:
        raise WeightsError(
            f"{path} keeps '{shown}' in another file; save the weights themselves into one"
        )
    chunk = prod(dataset.chunks or ()) * dataset.dtype.itemsize
    fits = 0 <= (-1 if dataset.size is None else dataset.size) <= _LARGEST_WEIGHT
    if not fits or dataset.dtype.kind not in "fiu" or chunk > _LARGEST_CHUNK:
        raise WeightsError(
            f"{path} has '{shown}' as {dataset.dtype} {dataset.shape}; a BS-Net's weights are "
            f"numbers, at most {_LARGEST_WEIGHT:,} in one"
        )
    return np.asarray(dataset, dtype=np.float32)


def _has_attribute(group: Any, name: str) -> bool:
    return name in group.attrs or f"{name}0" in group.attrs


def _names(group: Any, name: str, path: Path) -> list[str]:
    """Join an attribute that may be split into numbered pieces."""
    pieces = [name] if name in group.attrs else _numbered(group, name)
    saved = [entry for piece in pieces for entry in _attribute(group, piece, path)]
    names = [entry.decode() if isinstance(entry, bytes) else str(entry) for entry in saved]
    if too_long := next((entry for entry in names if len(entry) > _LONGEST_NAME), ""):
        raise WeightsError(
            f"{path} has a name of {len(too_long)} characters, '{shortened(too_long)}'; a BS-Net's "
            f"have at most {_LONGEST_NAME}: save the weights again"
        )
    return names


def _attribute(group: Any, name: str, path: Path) -> Any:
    declared = group.attrs.get_id(name)
    if prod(declared.shape) * declared.dtype.itemsize > _LARGEST_ATTRIBUTE:
        raise WeightsError(f"{path} has a list {name!r} that no BS-Net has; save the weights again")
    return group.attrs[name]


def _numbered(group: Any, name: str) -> list[str]:
    pattern = re.compile(re.escape(name) + r"[0-9]{1,4}")
    pieces = [str(key) for key in group.attrs if pattern.fullmatch(key)]
    return sorted(pieces, key=lambda piece: int(piece[len(name) :]))
