"""The acceptance of a GPU: on doubles, and on a real GPU where there is one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from brixia_edge.benchmarks import gpu_acceptance
from brixia_edge.benchmarks.gpu_acceptance import Check, accept, command
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.engines import copy_bundle
from brixia_edge.runtime.inspection.machine_gpu import LIBRARIES, find_gpu, library_version
from click.testing import CliRunner
from gpu_double import GpuDouble
from gpu_fixtures import Installer


def built(bundle: Bundle, backend: str) -> Check:
    return Check(f"{backend} builds", True, "by the test")


@pytest.fixture
def gpu(install: Installer, monkeypatch: pytest.MonkeyPatch) -> GpuDouble:
    monkeypatch.setattr(gpu_acceptance, "_build", built)
    return install()


def test_a_sound_gpu_is_accepted(gpu: GpuDouble, bundle_for: Callable[..., Bundle]) -> None:
    checks = {check.name: check for check in accept(bundle_for(), "tensorrt", images=5, runs=3)}
    assert all(check.ok for check in checks.values())
    assert {"scores as ONNX Runtime's", "latency, batch of 1", "latency, batch of 4"} <= set(checks)
    assert gpu.calls["launch"] > 0


def test_a_gpu_that_fails_is_not(gpu: GpuDouble, bundle_for: Callable[..., Bundle]) -> None:
    bundle = bundle_for()
    gpu.fail("execute")
    assert not all(check.ok for check in accept(bundle, "tensorrt", images=1, runs=1))


def test_one_command_writes_one_report(
    gpu: GpuDouble, bundle_for: Callable[..., Bundle], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    line = ["-o", str(report), "--bundle", str(bundle_for().root), "--backend", "tensorrt"]
    done = CliRunner().invoke(command, [*line, "--images", "2", "--runs", "2"])
    assert done.exit_code == 0, done.output
    written = json.loads(report.read_text())
    assert {check["ok"] for check in written["checks"]["tensorrt"]} == {True}
    assert (written["model"]["name"], written["model"]["variant"]) == ("tiny", "exact")
    assert written["machine"]["doctor"]["GPU for TensorRT"] == "sm_86"


@pytest.mark.gpu
@pytest.mark.parametrize("backend", LIBRARIES)
def test_this_machines_gpu_is_accepted(backend: str, tmp_path: Path) -> None:
    if not find_gpu().here:
        pytest.skip(find_gpu().detail)
    if not library_version(LIBRARIES[backend].module):
        pytest.skip(f"{backend} is not installed: {LIBRARIES[backend].install}")
    bundle = copy_bundle(Bundle.open(), tmp_path / "bundle")
    checks = accept(bundle, backend, images=4, runs=20)
    assert all(check.ok for check in checks), checks
