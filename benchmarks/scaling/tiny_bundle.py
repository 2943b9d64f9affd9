"""A bundle whose network costs nothing, and radiographs of a few kilobytes: only our code is left.

The network keeps a bundle's contract: its probabilities follow the image's mean.
"""

from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from ...runtime.bundles.bundle import Bundle
from ...runtime.bundles.manifest import MODEL, Manifest
from ...runtime.bundles.writing import write_bundle
from ...runtime.contract import (
    ALIGNMENT,
    IMAGE,
    INPUT_SIZE,
    LUNG_MASK,
    OUTPUTS,
    PROBABILITIES,
    ZONE_EVIDENCE,
)
from ...runtime.errors import MissingExtra, pip_line
from ...runtime.preparation.preprocess import PreprocessSpec

SIDE = 64
"""Rows and columns of the files."""

_FOLDER = 1000
"""Files in one folder."""

_UID = "2.25.1{:029d}"
_OPSET, _IR_VERSION = 17, 8


def write_tiny_bundle(target: Path) -> Bundle:
    """Write the bundle.

    Raises
    ------
    MissingExtra
        The package onnx is not installed.
    """
    shapes = {name: list(shape) for name, shape in OUTPUTS.items()}
    manifest = Manifest(
        name="tiny",
        licence="MIT",
        intended_use="Measuring this software; its scores mean nothing.",
        variant="a mean and a softmax",
        weights_sha256="0" * 64,
        precision="fp32",
        preprocess=PreprocessSpec("equalize"),
        inputs={IMAGE: {"dtype": "float32", "shape": ["N", 1, INPUT_SIZE, INPUT_SIZE]}},
        outputs={
            name: {"dtype": "float32", "shape": ["N", *shape]} for name, shape in shapes.items()
        },
        max_batch=16,
        built_with={},
    )
    return write_bundle(target, manifest, {MODEL: _network(shapes)})


def write_tiny_files(folder: Path, count: int) -> None:
    """Write so many different DICOM files, a thousand to a folder.

    Raises
    ------
    OSError
        The disk is full, or the folder cannot be written.
    """
    template, marker = _template(), _UID.format(0).encode()
    for number in range(count):
        place = folder / f"{number // _FOLDER:05d}"
        if number % _FOLDER == 0:
            place.mkdir(parents=True)
        content = template.replace(marker, _UID.format(number + 1).encode())
        (place / f"{number:08d}.dcm").write_bytes(content)


def _template() -> bytes:
    """A Computed Radiography file with smooth greys, whose SOP Instance UID is `_UID` of 0."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    dataset = Dataset()
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = _UID.format(0)
    dataset.Modality = "CR"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "AP"
    dataset.Rows = dataset.Columns = SIDE
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = (rows + 2 * columns).astype(np.uint8).tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(_UID.format(0))
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _network(shapes: dict[str, list[int]]) -> bytes:
    try:
        helper: Any = import_module("onnx.helper")
    except ImportError as error:
        raise MissingExtra.of("making the tiny network", "onnx", pip_line("export")) from error
    numpy_helper: Any = import_module("onnx.numpy_helper")

    def tensor(name: str, shape: list[int]) -> Any:
        return helper.make_tensor_value_info(name, 1, ["N", *shape])

    graph = helper.make_graph(
        [helper.make_node(kind, read, [written]) for kind, read, written in _nodes()],
        "tiny",
        [tensor(IMAGE, [1, INPUT_SIZE, INPUT_SIZE])],
        [tensor(name, shape) for name, shape in shapes.items()],
        [numpy_helper.from_array(value, name) for name, value in _constants()],
    )
    imports = [helper.make_opsetid("", _OPSET)]
    model: Any = helper.make_model(graph, opset_imports=imports, ir_version=_IR_VERSION)
    return model.SerializeToString()


def _nodes() -> Iterator[tuple[str, list[str], str]]:
    yield "GlobalAveragePool", [IMAGE], "mean"
    yield "Reshape", ["mean", "flat"], "level"
    yield "Mul", ["level", "scores"], "logits"
    yield "Softmax", ["logits"], PROBABILITIES
    yield "Sub", ["one", IMAGE], LUNG_MASK
    yield "Mul", ["level", "zero"], "nothing"
    yield "Add", ["nothing", "upright"], ALIGNMENT
    yield "Reshape", ["nothing", "wide"], "nothing_wide"
    yield "Add", ["nothing_wide", "evidence"], ZONE_EVIDENCE


def _constants() -> Iterator[tuple[str, Any]]:
    yield "flat", np.array([-1, 1, 1])
    yield "wide", np.array([-1, 1, 1, 1, 1])
    yield "scores", np.tile(np.arange(4, dtype=np.float32), (1, 6, 1))
    yield "one", np.array(1, np.float32)
    yield "zero", np.array(0, np.float32)
    yield "upright", np.eye(2, 3, dtype=np.float32)[None]
    yield "evidence", np.zeros((1, 6, 4, 16, 16), np.float32)
