"""INT8 as other tools make it from the plain graph, with their own defaults.

Both are calibrated on the images that our table was measured on. The models are kept in a folder
and made again only when the graph, the images or a tool's version changed.

Sources: ONNX Runtime, "Quantize ONNX Models" (static quantization, QDQ, per channel, after
`quant_pre_process` as advised there); NNCF, "Post-Training Quantization" (OpenVINO backend).
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...runtime.contract import IMAGE
from ...runtime.documents import LARGEST_DOCUMENT
from ...runtime.errors import MissingExtra, pip_line
from ...runtime.files import digest, digest_file, read_file, write_file
from ...runtime.libraries import import_library

Images = Sequence[NDArray[np.float32]]

RECORD = "peer.json"
"""Beside each model: what it was made from."""


def make_static(plain: Path, images: Images, folder: Path) -> Path:
    """ONNX Runtime's `quantize_static`: QDQ, per channel, its defaults for everything else.

    Parameters
    ----------
    plain
        The plainly exported float32 ONNX.
    images
        Calibration images, each float32 ``[1, 1, 512, 512]``.
    folder
        Where models are kept.

    Raises
    ------
    MissingExtra
        A package is missing; the message has the line that installs it.
    """
    require("onnx")
    return _kept(folder / "quantize-static", "model.onnx", plain, images, _quantize_static)


def make_nncf(plain: Path, images: Images, folder: Path) -> Path:
    """NNCF's `quantize` on the OpenVINO model, its defaults for a CPU.

    Returns
    -------
    The OpenVINO IR (``.xml`` with its ``.bin`` beside it).

    Raises
    ------
    MissingExtra
        A package is missing; the message has the line that installs it.
    """
    require("nncf", "openvino")
    return _kept(folder / "nncf", "model.xml", plain, images, _quantize_nncf)


def require(*packages: str) -> None:
    """Check that packages are installed.

    Raises
    ------
    MissingExtra
        Names what is missing.
    """
    if missing := [name for name in packages if find_spec(name) is None]:
        raise MissingExtra.of("this peer", ", ".join(missing), pip_line("peers"))


_SAMPLING_GRIDS = "alignment/grid.*"
"""NNCF 3.4 takes the shift of a sampling grid for the bias of a product and stumbles over its shape
(ValueError in its fast bias correction), so these products are left out of its INT8."""

Maker = Callable[[Path, Images, Path], Mapping[str, str]]


def _kept(folder: Path, name: str, plain: Path, images: Images, make: Maker) -> Path:
    """The model in its folder, made when there is none of this graph, images and versions."""
    record, model = folder / RECORD, folder / name
    wanted = {
        "graph": digest_file(plain),
        "images": digest(image.tobytes() for image in images),
    }
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        made = json.loads(read_file(record, LARGEST_DOCUMENT))
        same = all(made.get(key) == value for key, value in wanted.items())
        if same and all(version(tool) == number for tool, number in made["tools"].items()):
            return model
    folder.mkdir(parents=True, exist_ok=True)
    tools = make(plain, images, model)
    content = wanted | {"calibration_images": len(images), "tools": dict(tools)}
    write_file(record, (json.dumps(content, indent=2) + "\n").encode(), overwrite=True)
    return model


def _quantize_static(plain: Path, images: Images, model: Path) -> Mapping[str, str]:
    quantization = import_library("onnxruntime.quantization")
    shape_inference = import_library("onnxruntime.quantization.shape_inference")
    prepared = model.with_name("prepared.onnx")
    # Symbolic shape inference needs sympy and is for transformers; ONNX's own does for this graph.
    shape_inference.quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
    types: Any = quantization.QuantType
    quantization.quantize_static(
        str(prepared),
        str(model),
        _reader(images),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=types.QUInt8,
        weight_type=types.QInt8,
    )
    prepared.unlink()
    return {"onnxruntime": version("onnxruntime")}


def _reader(images: Images) -> Any:
    """A reader in the form that ONNX Runtime asks for: one feed a call, None at the end."""
    base: Any = import_library("onnxruntime.quantization").CalibrationDataReader
    feeds: Iterator[dict[str, NDArray[np.float32]]] = ({IMAGE: image} for image in images)

    def get_next(_: Any) -> dict[str, NDArray[np.float32]] | None:
        return next(feeds, None)

    return type("ImageReader", (base,), {"get_next": get_next})()


def _quantize_nncf(plain: Path, images: Images, model: Path) -> Mapping[str, str]:
    openvino: Any = import_module("brixia_edge.runtime.backends.openvino_cpu").ov
    nncf = import_library("nncf")
    network: Any = openvino.Core().read_model(str(plain))
    network.reshape({IMAGE: list(images[0].shape)})
    quantized = nncf.quantize(
        network,
        nncf.Dataset(list(images)),
        subset_size=len(images),
        target_device=nncf.TargetDevice.CPU,
        ignored_scope=nncf.IgnoredScope(patterns=[_SAMPLING_GRIDS], validate=False),
    )
    openvino.save_model(quantized, str(model), compress_to_fp16=False)
    return {"nncf": version("nncf"), "openvino": version("openvino")}
