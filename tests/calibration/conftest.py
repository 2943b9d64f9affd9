"""Descriptions, folders of pictures, and small networks to calibrate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from brixia_edge.calibration.choosing.description import Description
from numpy.typing import NDArray
from onnx import TensorProto, helper
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

_numpy_helper: Any = onnx.numpy_helper  # has unbound type variables


def make_description(number: int, **known: object) -> Description:
    """Describe a radiograph that never was; `known` overrules what the number gives."""
    generator = np.random.default_rng(number)
    entries: dict[str, object] = {
        "file": Path(f"{number}.png"),
        "sha256": f"{generator.integers(2**62):064x}",
        "prepared_sha256": f"{number:064x}",
        "average_hash": generator.random(256) < 0.5,
        "modality": "PNG",
        "projection": "unknown",
        "severity": float(generator.uniform(0, 18)),
        "global_score": int(generator.integers(0, 19)),
        "probabilities": np.full((6, 4), 0.25, np.float32),
        "brightness": float(generator.uniform(0.3, 0.7)),
        "contrast": float(generator.uniform(0.1, 0.3)),
        "lung_area": float(generator.uniform(0.2, 0.5)),
    }
    return Description(**(entries | known))  # pyright: ignore[reportArgumentType]


@pytest.fixture
def describe_many() -> Callable[[int], list[Description]]:
    """Make as many different descriptions."""
    return lambda count: [make_description(number) for number in range(count)]


@pytest.fixture
def chest_picture(lenient_gate: None) -> Callable[[int], NDArray[np.uint8]]:
    """Draw a chest; see `_chest_picture`."""
    return _chest_picture


def _chest_picture(number: int) -> NDArray[np.uint8]:
    """A bright body with two dark lungs and blobs of disease that differ with the number."""
    generator = np.random.default_rng(number)
    picture = np.full((400, 420), 200, np.uint8)
    picture[60:340, 60:190] = picture[60:340, 230:360] = 70
    for _ in range(12):
        place = (int(generator.integers(420)), int(generator.integers(400)))
        cv2.circle(
            picture, place, int(generator.integers(20, 60)), int(generator.integers(250)), -1
        )
    return picture + generator.integers(0, 5, picture.shape).astype(np.uint8)


@pytest.fixture
def write_png() -> Callable[[Path, NDArray[np.uint8]], Path]:
    """Write a picture and give its path."""
    return _write_png


def _write_png(path: Path, picture: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return path


@pytest.fixture
def write_dicom() -> Callable[..., Path]:
    """Write a picture as a Computed Radiography file with further elements, and give its path."""

    def write(path: Path, picture: NDArray[np.uint8], **elements: str) -> Path:
        dataset = Dataset()
        dataset.SOPClassUID = ComputedRadiographyImageStorage
        dataset.SOPInstanceUID = "1.2.3.4"
        dataset.Modality, dataset.BodyPartExamined = "CR", "CHEST"
        dataset.Rows, dataset.Columns = picture.shape
        dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = picture.tobytes()
        dataset["PixelData"].VR = "OB"
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def chest_folder(tmp_path: Path, lenient_gate: None) -> Path:
    """Twenty different pictures that pass for chest radiographs."""
    for number in range(20):
        _write_png(tmp_path / "chests" / f"{number:02}.png", _chest_picture(number))
    return tmp_path / "chests"


@pytest.fixture
def branching_network(tmp_path: Path) -> Path:
    """Relu and shift of the image, joined, rearranged, and a product that may overflow."""
    nodes = [
        helper.make_node("Sub", ["image", "half"], ["centred"]),
        helper.make_node("Relu", ["centred"], ["upper"]),
        helper.make_node("Mul", ["centred", "minus_two"], ["turned"]),
        helper.make_node("Concat", ["upper", "turned"], ["joined"], axis=1),
        helper.make_node("Transpose", ["joined"], ["moved"], perm=[0, 2, 3, 1]),
        helper.make_node("Add", ["half", "half"], ["one"]),
        helper.make_node("Log", ["image"], ["logarithm"]),
        helper.make_node("Mul", ["logarithm", "one"], ["product"]),
        helper.make_node("Shape", ["image"], ["shape"]),
    ]
    constants = {"half": np.array(0.5, np.float32), "minus_two": np.array(-2, np.float32)}
    graph = helper.make_graph(
        nodes,
        "branching",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [_numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "branching.onnx"
    path.write_bytes(model.SerializeToString())
    return path
