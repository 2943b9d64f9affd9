"""Whatever is printed, logged or named tells nothing about a patient."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main
from fuzz_bases import IDENTITY, bases
from mutations import mutate

DAMAGED = 30
"""Mutations among the inputs, so that the errors of damaged elements are printed, too."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that hold a made-up identity in many elements, whole and damaged."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    originals = [content for name, content in bases() if not name.endswith((".png", ".jpg"))]
    for number, content in enumerate(originals):
        (folder / f"whole{number}.dcm").write_bytes(content)
    for seed in range(DAMAGED):
        content = mutate(originals[seed % len(originals)], seed)
        (folder / f"damaged{seed}.dcm").write_bytes(content)
    return folder


def leaks(text: str) -> list[str]:
    return [secret for secret in IDENTITY if secret in text]


def test_the_files_do_hold_the_identity(folder: Path) -> None:
    held = [
        secret for secret in IDENTITY if secret.encode() in (folder / "whole0.dcm").read_bytes()
    ]
    assert held == list(IDENTITY)


@pytest.fixture
def told(
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
    caplog: pytest.LogCaptureFixture,
) -> Callable[[], str]:
    """All that was printed, warned and logged."""

    def collect() -> str:
        warned = (str(warning.message) for warning in recwarn)
        return "\n".join((*capfd.readouterr(), caplog.text, *warned))

    return collect


@pytest.mark.parametrize("isolation", ["--isolate", "--no-isolate"])
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_score_tells_no_identity(
    folder: Path, tiny_bundle: Bundle, told: Callable[[], str], form: str, isolation: str
) -> None:
    arguments = ["--debug", "score", "--bundle", str(tiny_bundle.root), "--format", form]
    assert main([*arguments, isolation, str(folder)]) == 1
    text = told()
    assert "RESEARCH USE ONLY" in text
    assert "Traceback" not in text
    assert leaks(text) == []


def test_names_of_written_files_tell_no_uid(
    folder: Path, tiny_bundle: Bundle, tmp_path: Path, told: Callable[[], str]
) -> None:
    files = [str(file) for file in sorted(folder.glob("whole*"))[:4]]
    outputs = tmp_path / "outputs"
    arguments = ["score", "--bundle", str(tiny_bundle.root), "--overlay", str(outputs)]
    assert main([*arguments, *files]) == 0
    names = [path.name for path in outputs.iterdir()]
    assert len(names) == 4
    assert "1.2.3.4" not in "".join(names)
    assert leaks(told()) == []


def test_names_of_written_files_tell_nothing_unless_kept(
    tmp_path: Path, tiny_bundle: Bundle, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (300, 300)).astype(np.uint8)
    file = tmp_path / f"{IDENTITY[0]}.png"
    file.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    arguments = ["score", "--bundle", str(tiny_bundle.root), "--format", "json", str(file)]
    for kept in (False, True):
        outputs = tmp_path / f"outputs-{kept}"
        assert main([*arguments, "--overlay", str(outputs), *["--keep-names"] * kept]) == 0
        (written,) = outputs.iterdir()
        assert (IDENTITY[0] in written.name) is kept
        assert json.loads(capfd.readouterr().out)["written"] == [str(written)]


@pytest.mark.parametrize("command", [["inspect"], ["--debug", "inspect"]])
def test_inspect_tells_no_identity(
    folder: Path, told: Callable[[], str], command: list[str]
) -> None:
    for file in sorted(folder.iterdir())[::5]:
        main([*command, str(file)])
    assert leaks(told()) == []
