"""Building engines: what can be told without any of NVIDIA's libraries."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from brixia_edge.export.engines import for_tensorrt
from brixia_edge.export.engines.engine_layers import (
    EngineLayer,
    count_precisions,
    layers_from_inspector,
    layers_from_log,
)
from brixia_edge.export.engines.for_tensorrt import TENSORRT
from brixia_edge.export.engines.into_bundle import export_engines
from brixia_edge.export.engines.offers import Offers
from brixia_edge.export.engines.options import EngineOptions, parse_targets
from brixia_edge.export.engines.precision_check import require_asked, require_built
from brixia_edge.export.engines.progress import BuildProgress
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.engine_file import read_record
from brixia_edge.runtime.bundles.engines import bundle_engines, copy_bundle
from brixia_edge.runtime.bundles.writing import bundle_to_change
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BundleError, EngineBuildError, EngineMismatch, MissingExtra

BUILDER_LOG = """Layers:
Name: __mye25939_0, LayerType: shape_call, Inputs: [], Constants: [], Outputs: []
Name: conv0, LayerType: correlation, Inputs: [ { Name: a, Dimensions: [-1,1,518,518], Datatype: \
Float, Format: (NHWC) Channel major format }], Constants: [ { Name: w, Datatype: Float }]
Name: stage1_conv1, LayerType: correlation, Inputs: [ { Name: b, Datatype: Int8, Format: x }]
Name: __myl_FcAddRelu_myl0_88, LayerType: runtime_fusion, Inputs: [ { Name: c, Datatype: Half }]
Name: __myl_MulAddSilu_myl0_108, LayerType: kgen, Inputs: [ { Name: d, Datatype: Float }]
"""

INSPECTOR = {
    "Layers": [
        {
            "Name": "stage1_conv1",
            "LayerType": "CaskConvolution",
            "Inputs": [{"Format/Datatype": "Thirty-two wide channel vectorized row major Int8"}],
        },
        {
            "Name": "conv0",
            "LayerType": "CaskConvolution",
            "Inputs": [{"Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}],
        },
        {"Name": "dense", "LayerType": "gemm", "Inputs": [{"Datatype": "Float"}]},
        {"Name": "copy", "LayerType": "Reformat", "Inputs": [{"Datatype": "Float"}]},
        "a layer of which only the name is told",
    ]
}


def test_layers_are_read_from_the_builders_log() -> None:
    layers = layers_from_log([BUILDER_LOG])
    assert len(layers) == 5
    assert layers[2] == EngineLayer("stage1_conv1", "correlation", "int8")
    assert count_precisions(layers) == {"fp32": 1, "int8": 1, "fp16": 1}


def test_layers_are_read_from_the_inspector() -> None:
    layers = layers_from_inspector(json.dumps(INSPECTOR))
    assert count_precisions(layers) == {"int8": 1, "fp16": 1, "fp32": 1}


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_float32_engine_is_not_passed_off_as_reduced(precision: str) -> None:
    asked = {precision: 46, "fp32": 22}
    require_built(precision, asked, {precision: 40, "fp32": 9})
    with pytest.raises(EngineMismatch, match=f"asked for in {precision} but .* engine 68 fp32"):
        require_built(precision, asked, {"fp32": 68})


def test_an_engine_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(EngineMismatch, match="unconfirmed"):
        require_built("fp32", {"fp32": 10}, {})


def test_a_bundle_is_what_its_manifest_says() -> None:
    require_asked("fp16", {"fp16": 3, "fp32": 9})
    with pytest.raises(BundleError, match="precision is fp16, but no layer"):
        require_asked("fp16", {"fp32": 9})


def test_progress_counts_nested_phases() -> None:
    progress = BuildProgress()
    assert progress.fraction == 0
    progress.start("building", None, 4)
    progress.step("building", 2)
    progress.start("timing", "building", 2)
    progress.step("timing", 1)
    assert progress.fraction == pytest.approx((2 + 0.5) / 4)
    progress.finish("timing")
    progress.step("building", 3)
    assert progress.fraction == 0.75
    progress.cancelled.set()
    assert not progress.step("building", 4)
    progress.finish("building")


def test_targets_are_read() -> None:
    assert parse_targets(["sm_86,SM_89", "sm_86"]) == ("sm_86", "sm_89")
    with pytest.raises(ValueError, match=r"'8\.6' is not of the form sm_86"):
        parse_targets(["8.6"])


class _Config:
    """The part of a builder configuration that TensorRT's own options touch."""

    def __init__(self, matches: bool = True) -> None:
        self.matches, self.flags, self.read = matches, list[str](), b"?"

    def set_flag(self, flag: str) -> None:
        self.flags.append(flag)

    def create_timing_cache(self, data: bytes) -> str:
        self.read = data
        return "cache"

    def set_timing_cache(self, cache: str, ignore_mismatch: bool) -> bool:
        assert not ignore_mismatch
        return self.matches

    def get_timing_cache(self) -> Any:
        return SimpleNamespace(serialize=lambda: b"times")


@pytest.fixture
def on_sm_87(monkeypatch: pytest.MonkeyPatch) -> Offers:
    monkeypatch.setattr(for_tensorrt, "device_target", lambda: "sm_87")
    flags = SimpleNamespace(VERSION_COMPATIBLE="compatible")
    return Offers(SimpleNamespace(__version__="10.3.0", BuilderFlag=flags))


def options(*targets: str, **others: Any) -> EngineOptions:
    return EngineOptions(("tensorrt",), targets, **others)


@pytest.mark.parametrize("targets", [(), ("sm_87",)])
def test_tensorrt_builds_for_its_own_gpu(on_sm_87: Offers, targets: tuple[str, ...]) -> None:
    assert TENSORRT.configure(on_sm_87, _Config(), options(*targets)) == ("sm_87",)


def test_tensorrt_builds_for_no_other_gpu(on_sm_87: Offers) -> None:
    with pytest.raises(EngineBuildError, match="this machine alone, which is sm_87"):
        TENSORRT.configure(on_sm_87, _Config(), options("sm_86"))


def test_version_compatible_engines(on_sm_87: Offers) -> None:
    config = _Config()
    TENSORRT.configure(on_sm_87, config, options(version_compatible=True))
    assert config.flags == ["compatible"]
    old = Offers(SimpleNamespace(__version__="8.5.2.2", BuilderFlag=SimpleNamespace()))
    with pytest.raises(EngineBuildError, match=r"8\.5\.2\.2 has no such engines"):
        TENSORRT.configure(old, config, options(version_compatible=True))


def test_a_timing_cache_is_read_and_extended(on_sm_87: Offers, tmp_path: Path) -> None:
    given, config = options(timing_cache=tmp_path / "times"), _Config()
    TENSORRT.configure(on_sm_87, config, given)
    assert config.read == b""
    TENSORRT.finish(config, given)
    TENSORRT.configure(on_sm_87, config, given)
    assert config.read == b"times"


def test_a_timing_cache_of_another_gpu_is_refused(on_sm_87: Offers, tmp_path: Path) -> None:
    with pytest.raises(EngineBuildError, match="of another TensorRT or GPU"):
        TENSORRT.configure(on_sm_87, _Config(matches=False), options(timing_cache=tmp_path / "t"))


def test_a_library_that_is_not_installed_is_named(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtra, match=r"pip install 'brixia-edge\[tensorrt\]'"):
        export_engines(tiny_bundle, options())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "tensorrt-rtx", "--dla"], "the DLA runs no GridSample"),
        (["--target", "sm_86"], "options of engines need --engine"),
        ([], "is a bundle already; name an --engine"),
        (["--engine", "tensorrt-rtx", "--target", "8.6"], "not of the form sm_86"),
    ],
)
def test_wrong_usage_is_said(
    tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["export", str(tiny_bundle.root), *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_weights_need_an_output(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["export", str(tmp_path / "weights.h5")]) == 2
    assert "weights need -o" in capsys.readouterr().err


def test_weights_are_not_lost_with_the_bundle_that_they_lie_in(
    tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tiny_bundle.root / "weights.h5"
    weights.write_bytes(b"weeks of training")
    arguments = ["export", str(weights), "-o", str(tiny_bundle.root), "--overwrite"]
    assert main(arguments) == 2
    assert "weights.h5) and would be lost" in capsys.readouterr().err
    assert weights.read_bytes() == b"weeks of training"


def test_a_bundle_is_not_copied_onto_itself(
    tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to(tiny_bundle.root)
    output = ["-o", str(tmp_path / "link"), "--overwrite"]
    arguments = ["export", str(tiny_bundle.root), "--engine", "tensorrt-rtx", "--target", "sm_86"]
    assert main([*arguments, *output]) == 2
    assert "would be lost" in capsys.readouterr().err
    assert Bundle.open(tiny_bundle.root) == tiny_bundle


def test_two_builds_into_one_bundle_are_not_mixed(
    tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", str(tiny_bundle.root), "--engine", "tensorrt-rtx", "--target", "sm_86"]
    with bundle_to_change(tiny_bundle.root):
        assert main(arguments) == 2
    assert "is being written by another run" in capsys.readouterr().err


def test_a_bundle_with_an_engine_is_copied_with_it(
    bundle_for: Callable[..., Bundle], tmp_path: Path
) -> None:
    bundle = bundle_for()
    copied = copy_bundle(bundle, tmp_path / "copy")
    assert bundle_engines(Bundle.open(copied.root)) == bundle_engines(bundle)


def test_a_bundle_that_may_not_be_changed_is_left_as_it_was(
    bundle_for: Callable[..., Bundle], tiny_bundle: Bundle
) -> None:
    (tiny_bundle.root / "engines").write_text("a file where the folder should be")
    with pytest.raises(BundleError, match=r"cannot be changed: .*-o DIR"):
        bundle_for()
    assert Bundle.open(tiny_bundle.root).manifest.engines == ()


def test_an_altered_engine_is_an_error(bundle_for: Callable[..., Bundle]) -> None:
    bundle = bundle_for()
    path = bundle.root / bundle_engines(bundle)[0].file
    record = bundle_engines(bundle)[0]
    path.with_suffix(".json").write_text(json.dumps(record.to_dict()))
    assert read_record(path) == record
    path.write_bytes(b"x")
    with pytest.raises(EngineMismatch, match="was altered"):
        read_record(path)
    with pytest.raises(BundleError, match="was altered"):
        Bundle.open(bundle.root)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"file": "x"}', None])
def test_an_engine_without_its_sidecar_is_an_error(
    tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = tmp_path / "some.engine"
    engine.write_bytes(b"x")
    if text is not None:
        engine.with_suffix(".json").write_text(text)
    assert main(["inspect", str(engine)]) == 3
    assert "some.json" in capsys.readouterr().err
