"""The house keeps its arrows, its lean room stays lean, and the wheel holds all of it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "runtime": set[str](),
    "calibration": {"runtime"},
    "export": {"runtime", "calibration"},
    "benchmarks": {"runtime"},
}
HEAVY = ("onnx", "h5py", "tensorrt", "tensorrt_rtx", "pycuda", "cuda", "openvino", "highdicom")


def imported_rooms(path: Path) -> Iterator[str]:
    """The rooms that a module imports, absolutely or relatively."""
    depth = len(path.relative_to(ROOT).parts) - 1
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level > depth:
            names = ["brixia_edge." + (node.module or "")]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        yield from (name.split(".")[1] for name in names if name.startswith("brixia_edge."))


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_only_along_the_arrows(room: str) -> None:
    modules = list((ROOT / room).rglob("*.py"))
    assert modules
    for module in modules:
        surplus = set(imported_rooms(module)) - ALLOWED[room] - {room}
        assert not surplus, f"{module.relative_to(ROOT)} imports {surplus}"


def test_the_arrow_test_sees_relative_imports() -> None:
    assert "runtime" in set(imported_rooms(ROOT / "export" / "exporter.py"))


def test_the_runtime_imports_without_what_only_exporting_needs() -> None:
    code = f"""
import sys, importlib, pkgutil
for name in {HEAVY!r}:
    sys.modules[name] = None
import brixia_edge.runtime as runtime
for module in pkgutil.walk_packages(runtime.__path__, runtime.__name__ + "."):
    # Importing a backend's module is the opt-in to its library; the plain one is onnxrt. So it is
    # with the two that make structured reports.
    backend = ".backends." in module.name and not module.name.endswith((".base", ".onnxrt"))
    if not backend and not module.name.endswith((".structured_report", "_report_content")):
        importlib.import_module(module.name)
[getattr(runtime, name) for name in runtime.__all__]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_module_is_named_after_a_package_it_may_use() -> None:
    names = {path.stem for room in ALLOWED for path in (ROOT / room).rglob("*.py")}
    assert not names & {*HEAVY, "onnxruntime", "numpy", "pydicom", "click"}


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import brixia_edge.runtime

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = brixia_edge.runtime.nonsense


def test_every_package_is_listed_for_the_wheel() -> None:
    listed = set(_setup_packages())
    folders = {path.parent for room in ALLOWED for path in (ROOT / room).rglob("*.py")}
    expected = {"brixia_edge." + ".".join(f.relative_to(ROOT).parts) for f in folders}
    assert listed == expected


def _setup_packages() -> list[str]:
    from configparser import ConfigParser

    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser["options"]["packages"].split()
