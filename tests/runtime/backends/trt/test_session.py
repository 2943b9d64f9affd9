"""The TensorRT sessions, against doubles that are strict about lifetimes and can fail."""

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorrt_double
from brixia_edge.runtime.backends import open_session
from brixia_edge.runtime.backends.onnxrt import OnnxRuntimeSession
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import BackendUnavailable, EngineMismatch
from gpu_fixtures import PACKAGES, VERSIONS, Installer
from numpy.typing import NDArray


def images(count: int = 1, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((count, 1, 512, 512), np.float32)


def test_the_package_is_found_by_the_doubles(install: Installer) -> None:
    install(package="cuda-python")
    assert importlib.util.find_spec("cuda.bindings") is not None


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("generation", VERSIONS)
def test_it_gives_what_the_network_gives(
    install: Installer, bundle_for: Callable[..., Bundle], generation: str, package: str
) -> None:
    install(generation, package)
    bundle = bundle_for(generation)
    with open_session(bundle, generation.partition(" ")[0]) as session:
        for seed, count in enumerate((1, 1, 1, 3, 3, 2, 4, 1)):
            batch = images(count, seed)
            expected = OnnxRuntimeSession(bundle).run(batch)
            for name, value in session.run(batch).items():
                np.testing.assert_allclose(value, expected[name], atol=1e-5)


def test_memory_is_taken_once(install: Installer, bundle_for: Callable[..., Bundle]) -> None:
    gpu = install()
    with open_session(bundle_for(), "tensorrt") as session:
        taken = gpu.calls["allocate"], gpu.calls["allocate_host"]
        assert taken == (6, 5)  # five tensors and the scratch memory; five tensors
        for seed in range(5):
            session.run(images(seed=seed))
        assert (gpu.calls["allocate"], gpu.calls["allocate_host"]) == taken


def test_a_graph_is_recorded_after_one_plain_run(
    install: Installer, bundle_for: Callable[..., Bundle]
) -> None:
    gpu = install()
    with open_session(bundle_for(), "tensorrt") as session:
        for _ in range(4):
            session.run(images())
        assert gpu.calls["launch"] == 3
        assert gpu.calls["execute"] == 2  # the plain run, and the one that was recorded


@pytest.mark.parametrize("call", ["begin_capture", "end_capture", "instantiate"])
def test_without_a_graph_it_runs_plainly(
    install: Installer, bundle_for: Callable[..., Bundle], call: str
) -> None:
    gpu = install()
    gpu.fail(call)
    with open_session(bundle_for(), "tensorrt") as session:
        results = [session.run(images(seed=seed))["lung_mask"] for seed in range(4)]
        assert gpu.calls["begin_capture"] == 1
    for seed, result in enumerate(results):
        np.testing.assert_allclose(result, 1 - images(seed=seed))


def test_only_what_is_asked_for_is_copied_back(
    install: Installer, bundle_for: Callable[..., Bundle]
) -> None:
    gpu = install()
    with open_session(bundle_for(), "tensorrt") as session:
        assert set(session.run(images(), ["alignment"])) == {"alignment"}
    assert gpu.calls["copy_out"] == 1


def test_results_outlive_the_next_run_and_the_session(
    install: Installer, bundle_for: Callable[..., Bundle]
) -> None:
    install()
    with open_session(bundle_for(), "tensorrt") as session:
        first = session.run(images(seed=1))["lung_mask"]
        session.run(images(seed=2))
    np.testing.assert_allclose(first, 1 - images(seed=1))


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize(
    "call", ["stream", "allocate", "allocate_host", "deserialize", "context", "set_input_shape"]
)
def test_a_session_that_cannot_start_leaves_nothing(
    install: Installer, bundle_for: Callable[..., Bundle], call: str, package: str
) -> None:
    gpu = install(package=package)
    gpu.fail(call, nth=1)
    bundle = bundle_for()
    with pytest.raises((BackendUnavailable, EngineMismatch)) as raised:
        open_session(bundle, "tensorrt")
    # Even what the error's traceback still refers to holds nothing of the GPU.
    gpu.assert_clean()
    assert raised.value


@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("call", ["allocate", "allocate_host"])
def test_any_failed_allocation_leaves_nothing(
    install: Installer, bundle_for: Callable[..., Bundle], call: str, nth: int
) -> None:
    gpu = install()
    session = open_session(bundle_for(), "tensorrt")
    gpu.fail(call, nth)
    try:
        with pytest.raises(BackendUnavailable, match=r"GPU could not take .* MB"):
            session.run(images(4))
    except pytest.fail.Exception:
        assert (call, nth) == ("allocate_host", 6)  # there are five tensors
    assert session.run(images(2))["alignment"].shape == (2, 2, 3)
    session.close()


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("call", ["execute", "launch", "copy_in", "copy_out", "synchronize"])
def test_after_a_failed_run_the_session_still_closes_cleanly(
    install: Installer, bundle_for: Callable[..., Bundle], call: str, package: str
) -> None:
    gpu = install(package=package)
    with open_session(bundle_for(), "tensorrt") as session:
        session.run(images())
        session.run(images())
        gpu.fail(call)
        if call != "execute":  # by now the graph is launched instead
            with pytest.raises(BackendUnavailable, match="GPU"):
                session.run(images())
        np.testing.assert_allclose(session.run(images(seed=3))["lung_mask"], 1 - images(seed=3))


def test_an_enqueue_that_returns_false_is_an_error(
    install: Installer, bundle_for: Callable[..., Bundle]
) -> None:
    gpu = install()
    gpu.fail("execute")
    with (
        open_session(bundle_for(), "tensorrt") as session,
        pytest.raises(BackendUnavailable, match="did not take the work"),
    ):
        session.run(images())


def test_closing_twice_does_nothing_more(
    install: Installer, bundle_for: Callable[..., Bundle]
) -> None:
    install()
    session = open_session(bundle_for(), "tensorrt")
    session.close()
    session.close()
    with pytest.raises(BackendUnavailable, match="session is closed"):
        session.run(images())


def test_an_exception_in_the_middle_releases_all(
    install: Installer, bundle_for: Callable[..., Bundle]
) -> None:
    gpu = install()

    def interrupted() -> None:
        with open_session(bundle_for(), "tensorrt") as session:
            session.run(images())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        interrupted()
    gpu.assert_clean()
    assert raised.value


@pytest.mark.parametrize("shared", [False, True], ids=["a session each", "one session"])
def test_threads(install: Installer, bundle_for: Callable[..., Bundle], shared: bool) -> None:
    install()
    bundle = bundle_for()
    common = open_session(bundle, "tensorrt")
    wrong: list[object] = []

    def work(seed: int) -> None:
        try:
            session = common if shared else open_session(bundle, "tensorrt")
            for step in range(5):
                batch = images(seed=10 * seed + step)
                if not np.allclose(session.run(batch, ["lung_mask"])["lung_mask"], 1 - batch):
                    wrong.append(seed)
            if not shared:
                session.close()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    common.close()
    assert not wrong


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"version": "10.13.3"}, r"was built with 10\.13\.3"),
        ({"targets": ("sm_87",)}, "is for sm_87"),
        ({"model_sha256": "0" * 64}, "is of another network"),
    ],
)
def test_an_engine_for_another_is_refused_with_what_to_run(
    install: Installer, bundle_for: Callable[..., Bundle], others: dict[str, Any], reason: str
) -> None:
    install()
    bundle = bundle_for(**others)
    with pytest.raises(EngineMismatch, match=reason) as raised:
        open_session(bundle, "tensorrt")
    assert f"brixia-edge export {bundle.root} --engine tensorrt" in str(raised.value)


@pytest.mark.parametrize(
    ("built", "loads"), [("10.1.0", True), ("10.13.0", False), ("8.6.1", False)]
)
def test_a_version_compatible_engine_loads_in_later_releases_of_its_major(
    install: Installer, bundle_for: Callable[..., Bundle], built: str, loads: bool
) -> None:
    install()
    bundle = bundle_for(version=built, options={"version_compatible": True})
    if loads:
        open_session(bundle, "tensorrt").close()
    else:
        with pytest.raises(EngineMismatch, match="was built with"):
            open_session(bundle, "tensorrt")


def test_an_engine_that_does_not_deserialise_says_why(
    install: Installer, bundle_for: Callable[..., Bundle]
) -> None:
    install()
    bundle = bundle_for(engine=b"something else")
    with pytest.raises(EngineMismatch, match=r"refuses .*not compatible.*build it again"):
        open_session(bundle, "tensorrt")


def test_an_engine_of_other_tensors_is_refused(
    install: Installer, bundle_for: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = install()
    monkeypatch.setattr(tensorrt_double.Engine, "num_io_tensors", 3)
    with pytest.raises(EngineMismatch, match=r"has the tensors .* build it again") as raised:
        open_session(bundle_for(), "tensorrt")
    gpu.assert_clean()
    assert raised.value


def test_no_gpu_is_said(install: Installer, bundle_for: Callable[..., Bundle]) -> None:
    install().fail("device")
    with pytest.raises(BackendUnavailable, match="no CUDA-capable device"):
        open_session(bundle_for(), "tensorrt")


def test_auto_takes_the_engine(install: Installer, bundle_for: Callable[..., Bundle]) -> None:
    install()
    with open_session(bundle_for()) as session:
        assert session.backend == "tensorrt"


def test_auto_goes_on_and_says_so(
    install: Installer,
    bundle_for: Callable[..., Bundle],
    capsys: pytest.CaptureFixture[str],
) -> None:
    install()
    with open_session(bundle_for(version="10.13.3")) as session:
        assert session.backend in ("openvino", "onnxruntime")
    said = capsys.readouterr()
    assert said.out == ""
    assert "backend tensorrt is left out: bundle" in said.err


def test_auto_says_nothing_of_engines_that_a_bundle_has_not(
    install: Installer, tiny_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    install()
    open_session(tiny_bundle).close()
    assert capsys.readouterr().err == ""


def test_rtx_keeps_what_it_compiled(
    install: Installer, bundle_for: Callable[..., Bundle], tmp_path: Path
) -> None:
    install("tensorrt-rtx")
    bundle = bundle_for("tensorrt-rtx")
    open_session(bundle, "tensorrt-rtx").close()
    (kept,) = (tmp_path / "cache" / "brixia-edge" / "tensorrt-rtx").iterdir()
    assert kept.read_bytes() == b"kernels for sm_86"
    written = kept.stat().st_mtime_ns
    open_session(bundle, "tensorrt-rtx").close()
    assert kept.stat().st_mtime_ns == written


def test_rtx_runs_where_its_cache_cannot_be_kept(
    install: Installer,
    bundle_for: Callable[..., Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    install("tensorrt-rtx")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with open_session(bundle_for("tensorrt-rtx"), "tensorrt-rtx") as session:
        session.run(images())
