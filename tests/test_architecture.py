"""docs/architecture.md tells of the code as it is: paths, names, folders, and what is listed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import ROOT, sections

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DRAWINGS = "\n".join(re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
TOP = ("runtime", "export", "calibration", "benchmarks", "tests", "docs", "scripts")

_TOKEN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(rf"(?:{'|'.join(TOP)})(?:/[\w./-]+)?|[\w-]+\.(?:cfg|toml|md)")
_NAME = re.compile(r"_{0,2}[A-Za-z]\w*")


def named_paths() -> list[str]:
    """Every path that the page gives, in code or in a drawing."""
    in_code = (token for token in _TOKEN.findall(PAGE) if _PATH.fullmatch(token))
    in_drawings = re.findall(rf"\b(?:{'|'.join(TOP)})/[\w/]+(?:\.py)?", DRAWINGS)
    return sorted({*in_code, *in_drawings})


def named_in_files() -> list[tuple[str, str]]:
    """Every name that follows a module's path, with that path: ```a/b.py` `name` `other```."""
    found: list[tuple[str, str]] = []
    for path, names in re.findall(r"`([\w/]+\.py)`((?: `\w+`)+)", PAGE):
        found += [(path, name) for name in _TOKEN.findall(names) if _NAME.fullmatch(name)]
    return found


def defined(path: Path) -> Iterator[str]:
    """The functions, classes and variables of a module, and of its classes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


@pytest.mark.parametrize("path", named_paths())
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("path", "name"), named_in_files())
def test_every_name_is_defined_in_its_file(path: str, name: str) -> None:
    assert name in set(defined(ROOT / path))


def test_the_page_names_many() -> None:
    assert len(named_paths()) > 100
    assert len(named_in_files()) > 80


def test_every_folder_of_the_rooms_is_told() -> None:
    folders = {
        str(path.parent.relative_to(ROOT))
        for room in TOP[:4]
        for path in (ROOT / room).rglob("__init__.py")
    }
    told = set(_TOKEN.findall(dict(sections(PAGE))["Rooms"]))
    untold = folders - told - {"benchmarks", "export", "calibration"}
    assert not {folder for folder in untold if not folder.startswith("benchmarks/evaluation/")}


def test_every_function_and_class_in_the_drawings_exists() -> None:
    steps = set(re.findall(r"\b[a-z]+_[a-z_]+\b|\b[A-Z][a-z]+[A-Z]\w+", DRAWINGS))
    modules = (path for room in TOP[:4] for path in (ROOT / room).rglob("*.py"))
    known = {name for path in modules for name in defined(path)}
    assert len(steps) > 10
    assert steps <= known
