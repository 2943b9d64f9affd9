"""`--light` takes the light bundle that ships, and everything says that it did."""

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from brixia_edge.runtime.bundles import bundle as bundle_module
from brixia_edge.runtime.bundles.bundle import Bundle, shipped_light_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BundleError

Capture = pytest.CaptureFixture[str]
Ship = Callable[[Path], None]


@pytest.fixture
def ship(monkeypatch: pytest.MonkeyPatch) -> Ship:
    """Have a folder stand where the light bundle ships."""

    def stand(folder: Path) -> None:
        def files(package: str) -> Any:
            return folder if package.endswith(".light") else resources.files(package)

        monkeypatch.setattr(bundle_module, "resources", SimpleNamespace(files=files))

    return stand


@pytest.fixture
def light(ship: Ship, tiny_light_bundle: Bundle) -> Bundle:
    """The tiny light bundle, as the one that ships."""
    ship(tiny_light_bundle.root)
    return tiny_light_bundle


@pytest.mark.usefixtures("light")
def test_scores_are_of_the_light_bundle(chest_png: Path, capsys: Capture) -> None:
    line = ["score", str(chest_png), "--light", "--backend", "onnxruntime"]
    assert main(line) == 0
    assert "  model tiny, light, fp32, sha256 cdcdcdcdcdcd; " in capsys.readouterr().out
    assert main([*line, "--format", "json"]) == 0
    model = {"name": "tiny", "precision": "fp32", "sha256": "cd" * 32, "variant": "light"}
    assert json.loads(capsys.readouterr().out)["model"] == model


@pytest.mark.usefixtures("light")
def test_explanations_are_of_the_light_bundle(chest_png: Path, tmp_path: Path) -> None:
    folder = tmp_path / "why"
    line = ["explain", str(chest_png), "--light", "--backend", "onnxruntime", "-o", str(folder)]
    assert main([*line, "--format", "npz"]) == 0
    (file,) = folder.iterdir()
    with np.load(file, allow_pickle=False) as arrays:
        assert str(arrays["variant"]) == "light"


@pytest.mark.usefixtures("light")
def test_a_benchmark_is_of_the_light_bundle(chest_png: Path, capsys: Capture) -> None:
    line = ["benchmark", "--light", "--backend", "onnxruntime", "--image", str(chest_png)]
    line += ["--runs", "2", "--seconds", "0", "--cold-starts", "0"]
    assert main(line) == 0
    assert capsys.readouterr().out.startswith("tiny light, fp32 on onnxruntime, ")
    assert main([*line, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["subject"]["variant"] == "light"


def test_inspect_and_doctor_show_the_light_bundle(light: Bundle, capsys: Capture) -> None:
    assert main(["inspect", "--light"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["precision", "light, fp32"] in lines
    assert ["exact", f"weights sha256  {'ab' * 32}"] in lines
    assert main(["inspect", "--light", "--format", "json"]) == 0
    manifest = json.loads(capsys.readouterr().out)["manifest"]
    assert manifest["exact_weights_sha256"] == light.manifest.exact_weights_sha256
    assert main(["doctor"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "light bundle" in line]
    assert [line.split() for line in told] == [
        ["ok", "shipped", "light", "bundle", "tiny,", "light,", "fp32,", "verified"]
    ]


@pytest.mark.usefixtures("light")
def test_another_bundle_beside_it_is_wrong_usage(
    tiny_bundle: Bundle, chest_png: Path, capsys: Capture
) -> None:
    root = str(tiny_bundle.root)
    assert main(["score", "--light", "--bundle", root, str(chest_png)]) == 2
    assert "--light names a bundle of its own; give it or --bundle" in capsys.readouterr().err
    assert main(["inspect", "--light", root]) == 2
    assert "give it or the path" in capsys.readouterr().err


def test_where_none_ships_it_is_said_and_nothing_missed(
    ship: Ship, chest_png: Path, tmp_path: Path, capsys: Capture
) -> None:
    ship(tmp_path / "nothing")
    assert main(["score", "--light", str(chest_png)]) == 3
    assert "no light bundle ships with this installation" in capsys.readouterr().err
    assert main(["doctor"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "light bundle" in line]
    assert [line[0] for line in told] == ["-"]


@pytest.mark.usefixtures("light")
def test_a_light_run_does_not_go_on_with_an_exact_one(
    tiny_bundle: Bundle, chest_png: Path, tmp_path: Path, capsys: Capture
) -> None:
    output = tmp_path / "out.jsonl"
    line = ["score", str(chest_png), "--backend", "onnxruntime", "--format", "json", "--resume"]
    exact = [*line, "-o", str(output), "--bundle", str(tiny_bundle.root)]
    assert main(exact) == 0
    content = output.read_bytes()
    assert main([*line, "-o", str(output), "--light"]) == 1
    assert "line 1 is of the model" in capsys.readouterr().err
    assert main(exact) == 0
    assert output.read_bytes() == content


def test_the_light_bundle_that_ships_was_learned_from_the_exact_one() -> None:
    try:
        light = Bundle.open(shipped_light_bundle())
    except BundleError as error:
        if "no light bundle ships" not in str(error):
            raise
        pytest.skip(str(error))
    assert light.manifest.exact_weights_sha256 == Bundle.open().manifest.weights_sha256
