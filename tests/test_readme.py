"""The README's commands give what the README shows."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.runtime.commands.demo import demo_radiograph
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

VARYING = (
    (r"\d+ ms", "# ms"),
    (r"\d\.\de-\d\d", "#e"),
    (r"sha256 +[0-9a-f]{12,64}", "sha256 #"),
    (r"\d+\.\d\d MB", "# MB"),
    (r"built with .*", "built with"),
    (r"[0-9a-f]{16}-(\w+)\.", r"#-\1."),
    (r" {2,}", "  "),
)
"""What differs between machines, weights and versions."""


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def steps(title: str) -> list[tuple[str, str]]:
    """Each command of a section's console blocks with what it prints."""
    blocks = re.findall(r"```console\n(.*?)```", section(title), flags=re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def normalised(text: str) -> str:
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return text.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chest.dcm").write_bytes(demo_radiograph().read_bytes())
    return tmp_path


Shell = Callable[[str], str]


@pytest.fixture
def shell(folder: Path) -> Shell:
    """Run commands in one folder, with this Python's `brixia-edge`; gives all they print."""

    def run(commands: str) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", commands],  # noqa: S607 - any bash
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    return run


def test_the_score_examples(shell: Shell) -> None:
    examples = steps("Score")
    assert len(examples) == 3
    assert normalised(shell(examples[0][0])) == normalised(examples[0][1])
    both = shell("\n".join(command for command, _ in examples[1:]))
    assert normalised(both) == normalised("".join(shown for _, shown in examples[1:]))


@pytest.mark.parametrize("title", ["DICOM results", "Inspect an image", "Explain"])
def test_the_examples_of_one_radiograph(shell: Shell, title: str) -> None:
    ((command, shown),) = steps(title)
    assert normalised(shell(command)) == normalised(shown)


@pytest.mark.slow
def test_the_evaluate_example(shell: Shell, folder: Path, shared: Callable[[str], Path]) -> None:
    (folder / "radiographs").symlink_to(shared("cohen/images"))
    (folder / "annotations.csv").write_bytes(shared("cohen/annotations.csv").read_bytes())
    ((command, shown),) = steps("Evaluate")
    assert normalised(shell(command)).endswith(normalised(shown))


@pytest.mark.slow
def test_the_benchmark_example_has_the_same_lines(shell: Shell) -> None:
    ((command, shown),) = steps("Benchmark")
    found = {words(line) for line in shell(command).splitlines()}
    machines_own = ("  WARNING", "  absent", "machine ")
    own = [line for line in shown.splitlines() if not line.startswith(machines_own)]
    assert {words(line) for line in own} <= found


def words(line: str) -> str:
    """A line without its numbers."""
    return re.sub(r"[-\d.,]+%?", "#", re.sub(r"\s+", " ", line)).strip()


def test_the_python_example(shell: Shell) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", section("Score"), flags=re.DOTALL)
    assert shell(f"python - <<'END'\n{code}END") == "7 ()\n"


def test_the_export_and_inspect_examples(
    shell: Shell,
    folder: Path,
    seeded_tensors: dict[str, NDArray[np.float32]],
    keras_file: Callable[..., Path],
) -> None:
    keras_file(seeded_tensors).rename(folder / "bscore-model.h5")
    for command, shown in (*steps("Export"), *steps("Inspect")):
        assert normalised(shell(command)) == normalised(shown)


def test_the_doctor_example_names_the_same_subjects(shell: Shell) -> None:
    ((command, shown),) = steps("Doctor")
    assert [line[8:40] for line in shell(command).splitlines()] == [
        line[8:40] for line in shown.splitlines()
    ]


def test_the_first_command_ends_with_the_demo(shell: Shell) -> None:
    assert section("Set up and score a radiograph").count("brixia-edge demo\n```") == 1
    assert "Brixia score 7 of 18 (expected 8.2)" in shell("brixia-edge demo")


def test_ci_runs_the_second_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "Set up and pass the tests" in script
    command = ".venv/bin/pip install --quiet '.[test]' && .venv/bin/python -m pytest"
    assert command in section("Set up and pass the tests")
