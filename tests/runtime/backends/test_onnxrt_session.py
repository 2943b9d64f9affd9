"""There is one way to open a network with ONNX Runtime."""

from pathlib import Path

import pytest
from brixia_edge.runtime.backends.onnxrt_session import open_network
from brixia_edge.runtime.errors import BackendUnavailable
from make_models import tiny_model

ROOT = Path(__file__).parents[3]


def test_a_file_and_its_content_open_alike(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(tiny_model())
    for model in (path, path.read_bytes()):
        assert [entry.name for entry in open_network(model).get_inputs()] == ["image"]


def test_what_is_no_network_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(BackendUnavailable, match=r"cannot load .*model\.onnx"):
        open_network(path)
    with pytest.raises(BackendUnavailable, match="cannot load a network"):
        open_network(b"no network")


def test_nothing_is_printed_about_what_cannot_be_opened(
    capsys: pytest.CaptureFixture[str],
) -> None:
    network = tiny_model().replace(b"Softmax", b"Soft\xffax")
    with pytest.raises(BackendUnavailable, match="cannot load a network"):
        open_network(network)
    assert capsys.readouterr().out == ""


def test_no_other_module_opens_a_session() -> None:
    rooms = ("benchmarks", "export", "calibration", "runtime")
    sources = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    opening = [path.stem for path in sources if "InferenceSession(" in path.read_text("utf-8")]
    assert opening == ["onnxrt_session"]
