"""Every command explains itself without its extra, and names the extra once it is called."""

import subprocess
import sys
from pathlib import Path

import pytest
from brixia_edge.runtime.cli import COMMANDS

EXTRAS = (
    *("onnx", "h5py", "openvino", "tensorrt", "tensorrt_rtx", "pycuda", "cuda", "highdicom"),
    *("jinja2", "matplotlib", "skimage", "sklearn", "scipy", "nncf", "data_store", "pynetdicom"),
)

RUN = f"""
import sys
for name in {EXTRAS!r}:
    sys.modules[name] = None
from brixia_edge.runtime.cli import main
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN + code], capture_output=True, text=True, check=False
    )


def test_every_command_explains_itself_without_any_extra() -> None:
    code = f"print([main([name, '--help']) for name in {list(COMMANDS)!r}])"
    done = run(code)
    assert done.stdout.splitlines()[-1] == str([0] * len(COMMANDS)), done.stderr
    for name in COMMANDS:
        assert f"Usage: brixia-edge {name} " in done.stdout


@pytest.mark.parametrize(
    ("line", "extra"),
    [
        (["export", "weights.h5", "-o", "bundle"], "export"),
        (["calibrate", ".", "-o", "table.json"], "export"),
        (["evaluate", "--images", ".", "--annotations", "a.csv", "-o", "report"], "report"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: list[str], extra: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(f"sys.exit(main({line!r}))")
    assert done.returncode == 3
    assert f"`brixia-edge {line[0]}` needs " in done.stderr
    assert f"pip install 'brixia-edge[{extra}]'" in done.stderr
    assert not any(tmp_path.iterdir())
