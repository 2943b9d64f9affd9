"""`brixia-edge node model`, and what `node status` tells of a shadow."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from make_models import tiny_model

pytest.importorskip("pynetdicom", reason="the extra 'node' is not installed")

from brixia_edge.runtime.node.models import drift
from brixia_edge.runtime.node.state.rows import Received, Result
from brixia_edge.runtime.node.state.store import Store
from brixia_edge.runtime.quality.reference_histograms import QuantityHistogram, ReferenceHistograms
from node_doubles import free_port, toml

Run = Callable[..., int]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path: Path, data: Path, tiny_bundle: Bundle) -> Run:
    """Run `brixia-edge node` with a configuration."""
    config = tmp_path / "node.toml"
    text = toml(data, free_port(), free_port())
    config.write_text(text.replace("BUNDLE", str(tiny_bundle.root)))

    def command(*words: str) -> int:
        return main(["node", *words, "--config", str(config)])

    return command


def test_a_model_is_installed_listed_and_rolled_back(
    run: Run, tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = replace(tiny_bundle.manifest, name="second")
    other = write_bundle(tmp_path / "second", second, {"model.onnx": tiny_model()})
    assert run("model", "install", str(other.root)) == 0
    assert "Installed second, fp32" in capsys.readouterr().err
    assert run("model", "list") == 0
    in_use, before = capsys.readouterr().out.splitlines()
    assert in_use.split() == ["in", "use", "second,", "fp32,", "digest", other.digest[:12]]
    assert before.startswith("before  tiny, fp32")
    assert run("model", "rollback") == 0
    assert "Rolled back to tiny" in capsys.readouterr().err


def test_a_light_model_is_installed_beside_the_exact_one_and_told_from_it(
    run: Run, tiny_light_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("model", "install", str(tiny_light_bundle.root)) == 0
    assert "Installed tiny, light, fp32, digest" in capsys.readouterr().err
    assert run("model", "list") == 0
    in_use, before = capsys.readouterr().out.splitlines()
    assert in_use.startswith("in use  tiny, light, fp32, digest")
    assert before.startswith("before  tiny, fp32, digest")
    run("check")
    assert "tiny, light, fp32, " in capsys.readouterr().out
    assert run("model", "rollback") == 0
    assert "Rolled back to tiny, fp32" in capsys.readouterr().err


def test_check_looks_at_the_bundle_that_will_score_and_changes_nothing(
    run: Run, data: Path, tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def model() -> str:
        before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
        run("check")
        assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before
        lines = capsys.readouterr().out.splitlines()
        return next(line for line in lines if line[8:].startswith("model"))

    told = model()
    assert told.startswith("ok")
    assert "tiny, fp32" in told
    assert "of the configuration" in told
    second = replace(tiny_bundle.manifest, name="second")
    other = write_bundle(tmp_path / "second", second, {"model.onnx": tiny_model()})
    assert run("model", "install", str(other.root)) == 0
    capsys.readouterr()
    told = model()
    assert f"second, fp32, {other.digest[:12]}, verified, installed" in told
    (installed,) = (data / "models").iterdir()
    (installed / "model.onnx").write_bytes(b"damaged")
    told = model()
    assert told.startswith("FAILED")
    assert "was altered" in told
    store = Store.open(data)  # as while a node runs
    told = model()
    store.close()
    assert told.startswith("FAILED")


def test_a_damaged_bundle_is_listed_told_by_status_and_rolled_back(
    run: Run, data: Path, tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = replace(tiny_bundle.manifest, name="second")
    other = write_bundle(tmp_path / "second", second, {"model.onnx": tiny_model()})
    assert run("model", "install", str(other.root)) == 0
    (installed,) = (data / "models").iterdir()
    (installed / "model.onnx").write_bytes(b"damaged")
    capsys.readouterr()
    assert run("model", "list") == 0
    in_use, before = capsys.readouterr().out.splitlines()
    assert in_use.startswith("in use  a damaged bundle: ")
    assert before.startswith("before  tiny")
    assert run("status") == 1
    assert "damaged" in capsys.readouterr().out
    assert run("model", "rollback") == 0
    assert run("status") == 0


def test_a_refused_bundle_is_told_in_one_line_and_changes_nothing(
    run: Run, tiny_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("model", "install", str(tmp_path / "nothing")) != 0
    assert "is not a bundle" in capsys.readouterr().err
    assert run("model", "list") == 0
    assert capsys.readouterr().out.startswith("in use  tiny")
    assert run("model", "rollback") != 0
    assert "no bundle was used before" in capsys.readouterr().err
    assert tiny_bundle.model.is_file()


def test_status_tells_of_drift(
    run: Run,
    data: Path,
    tiny_bundle: Bundle,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store.open(data)
    for number in range(30):
        uid = f"1.2.{number}"
        store.inbox.add(Received(uid, uid, "1.2.840", "1.2", 5, "XR1", "", "", "", f"{uid}.dcm"))
        store.inbox.next_to_score("newest")
        result = Result(tiny_bundle.digest, "{}", '{"lung_area": 0.8}')
        store.inbox.finish(number + 1, result, [], [])
    store.close()
    assert run("status") == 0
    assert "drift" not in capsys.readouterr().out  # of a bundle without histograms
    known = {"lung_area": QuantityHistogram((0.5,), (50, 50))}
    reference = ReferenceHistograms("w", "p", ("a",) * 100, known)

    def read(_: Bundle) -> ReferenceHistograms:
        return reference

    monkeypatch.setattr(drift, "read_reference", read)
    assert run("status") == 0
    assert "these 30 radiographs look different from the 100" in capsys.readouterr().out


def test_status_tells_how_a_shadow_agrees(
    run: Run, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(data)
    zones = '"zones": {"A": 1, "B": 1, "C": 1, "D": 1, "E": 1, "F": 1}'
    store.inbox.add(Received("1.2", "ab", "1.2.840", "1.2", 5, "XR1", "1.9", "", "", "a.dcm"))
    store.inbox.next_to_score("newest")
    store.inbox.finish(1, Result("main", f'{{{zones}, "global": 6}}'), [], [])
    assert run("status") == 0
    assert "shadow" not in capsys.readouterr().out
    store.inbox.add_shadow(1, Result("other", f'{{{zones}, "global": 8}}'))
    store.close()
    assert run("status") == 0
    told = capsys.readouterr().out
    assert "1 images: 100.0% of the zones equal, global score differs by 2.00 on average" in told
