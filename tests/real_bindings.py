"""NVIDIA's own Python bindings, without the libraries they are bindings of.

The wheels come from PyPI. They load once each library they want is there and has the
few C functions they name, so empty ones are compiled; nothing of them is ever called.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

LIBRARIES = ("nvinfer", "nvonnxparser", "nvinfer_plugin")
FUNCTIONS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)

_ASK = """
import functools, json, sys
import {module} as library
sys.path.insert(0, {folder!r})
from brixia_edge.export.engines.offers import Offers
names = json.loads(sys.stdin.read())
def has(name):
    try:
        functools.reduce(getattr, name.split("."), library)
    except AttributeError:
        return False
    return True
said = {{"missing": [name for name in names if not has(name)]}}
if hasattr(library, "Builder"):
    offers = Offers(library)
    said |= {{
        "version": offers.version,
        "flags": offers.network_flags(),
        "typed": offers.strongly_typed,
        "int8": [flag.name for flag in offers.precision_flags("int8")],
        "progress": offers.progress,
        "version_compatible": offers.version_compatible,
        "targets": offers.targets,
    }}
print(json.dumps(said))
"""


def fetch(requirement: str, folder: Path) -> Path:
    """Download a wheel and unpack it; skips the test where that cannot be done."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*pip, "-d", str(folder / "wheels"), requirement],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        pytest.skip(f"{requirement} cannot be had for this Python or machine: {reason}")
    (wheel,) = (folder / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    wheel.unlink()
    return folder


def stand_in_libraries(major: int, folder: Path) -> Path:
    """Compile empty libraries in the place of TensorRT's."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) makes the stand-in libraries that the bindings load with")
    folder.mkdir()
    source = folder / "empty.c"
    source.write_text("".join(f"void {name}(void) {{}}\n" for name in FUNCTIONS))
    for library in LIBRARIES:
        name = f"lib{library}.so.{major}"
        line = [compiler, "-shared", "-fPIC", str(source), f"-Wl,-soname,{name}", "-o"]
        subprocess.run([*line, str(folder / name)], check=True)
    return folder


def ask(module: str, names: set[str], bindings: Path, libraries: Path | None) -> dict[str, Any]:
    """Which of the names a bindings module lacks, and what `Offers` says of it."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries or "")}
    done = subprocess.run(
        [sys.executable, "-c", _ASK.format(module=module, folder=str(bindings))],
        input=json.dumps(sorted(names)),
        env={**environment, "PYTHONPATH": os.pathsep.join([str(bindings), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
