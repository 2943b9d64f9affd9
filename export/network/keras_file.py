"""Keras HDF5 files of the original BS-Net, read as named tensors.

The original is saved by TensorFlow 2.x either with ``save_weights`` (layers at
the file's root) or as a full model (layers under ``model_weights``). HDF5
limits an attribute to 64 kB, so Keras splits long name lists into
``layer_names0``, ``layer_names1`` and so on.
"""

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import WeightsError

h5py: Any = import_module("h5py")  # has no type information


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
        with h5py.File(path, "r") as file:
            return list(_weights(_layer_group(file, path)))
    except (IsADirectoryError, NotADirectoryError, FileNotFoundError, PermissionError) as error:
        raise WeightsError(
            f"{path} cannot be opened: {os.strerror(error.errno or errno.EIO)}; "
            "give the .h5 file itself"
        ) from error
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{path} cannot be read as a Keras HDF5 weight file ({type(error).__name__}); "
            "give the .h5 file that BS-Net was saved to, undamaged"
        ) from error


def _layer_group(file: Any, path: Path) -> Any:
    nested = not _has_attribute(file, "layer_names") and "model_weights" in file
    group = file["model_weights"] if nested else file
    if not _has_attribute(group, "layer_names"):
        raise WeightsError(
            f"{path} has no 'layer_names' attribute, neither at its root nor under "
            "'model_weights', so it is no Keras 2 weight file; save the model with "
            "TensorFlow 2.x: model.save_weights('bscore-model.h5')"
        )
    return group


def _weights(group: Any) -> Iterator[SavedWeight]:
    for layer in _names(group, "layer_names"):
        layer_group: Any = group[layer]
        for name in _names(layer_group, "weight_names"):
            yield SavedWeight(layer, name, np.asarray(layer_group[name], dtype=np.float32))


def _has_attribute(group: Any, name: str) -> bool:
    return name in group.attrs or f"{name}0" in group.attrs


def _names(group: Any, name: str) -> list[str]:
    """Join an attribute that may be split into numbered pieces."""
    pieces = [name] if name in group.attrs else _numbered(group, name)
    saved = [entry for piece in pieces for entry in group.attrs[piece]]
    return [entry.decode() if isinstance(entry, bytes) else str(entry) for entry in saved]


def _numbered(group: Any, name: str) -> list[str]:
    pattern = re.compile(re.escape(name) + r"\d+")
    pieces = [str(key) for key in group.attrs if pattern.fullmatch(key)]
    return sorted(pieces, key=lambda piece: int(piece[len(name) :]))
