"""What is named in a string is there: the tables of lazy imports, set-up files, docs, docstrings.

Nothing is imported for it: a module is looked up by its file, what it defines in its source. So
a name of a backend's module is checked where the backend's library is absent, too.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from brixia_edge import runtime
from brixia_edge.benchmarks.cli import PARTS
from brixia_edge.runtime.backends import BACKENDS
from brixia_edge.runtime.backends.trt.gpu import CUDA_PACKAGES
from brixia_edge.runtime.cli import COMMANDS
from brixia_edge.runtime.commands.outputs import OUTPUTS
from brixia_edge.runtime.sources.process import (
    _START as START,  # pyright: ignore[reportPrivateUsage]
)

ROOT = Path(__file__).parents[1]
ROOMS = ("benchmarks", "export", "calibration", "runtime")
WRITTEN = (".py", ".md", ".json", ".html", ".cfg", ".toml", ".yml", ".yaml", ".sh")
"""Endings of the files that name modules."""

toml: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")


def written_files() -> list[Path]:
    """Every text of the project that people write."""
    folders = [ROOT / name for name in (*ROOMS, "tests", "docs", ".ci")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in WRITTEN]
    return sorted(
        {*files, ROOT / ".ci" / "run", *(p for p in ROOT.glob("*") if p.suffix in WRITTEN)}
    )


@cache
def source(module: str) -> ast.Module | None:
    """The source of a module of the house, as ``runtime.scores``; None where there is none."""
    path = ROOT.joinpath(*module.split("."))
    if path.is_dir():
        path /= "__init__"
    path = path.with_name(path.name + ".py")
    inside = module.partition(".")[0] in ROOMS and path.is_file()
    return ast.parse(path.read_text(encoding="utf-8")) if inside else None


def found(name: str) -> bool:
    """Whether there is such a module, or such a thing in a module, as ``runtime.Scorer``."""
    parts = name.removeprefix("brixia_edge.").split(".")
    for split in range(len(parts), 0, -1):
        tree = source(".".join(parts[:split]))
        if tree is not None:
            return _holds(tree, ".".join(parts[:split]), parts[split:])
    return False


def _holds(tree: ast.AST, module: str, path: list[str]) -> bool:
    if not path:
        return True
    first, *rest = path
    if module == "runtime" and first in runtime.__all__:
        return not rest
    return any(
        name == first and (not rest or _holds(node, "", rest)) for name, node in _defined(tree)
    )


def _defined(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a module or a class defines or imports, at its own level."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), node
        elif isinstance(node, ast.Assign | ast.Try | ast.If | ast.Tuple):
            yield from _defined(node)
        elif isinstance(node, ast.Name):
            yield node.id, node


def runs(module: str) -> bool:
    """Whether ``python -m`` runs the module."""
    if module == "brixia_edge":
        return (ROOT / "package/__main__.py").is_file()
    tree = source(module.removeprefix("brixia_edge."))
    if tree is None:
        return False
    guarded = any(
        isinstance(node, ast.If) and "__main__" in ast.unparse(node.test) for node in tree.body
    )
    return guarded or found(f"{module}.__main__")


def test_the_lookup_tells_what_is_there() -> None:
    there = (
        "runtime",
        "runtime.scores",
        "runtime.Scorer",
        "brixia_edge.runtime.scorer.Scorer.score",
    )
    absent = ("runtime.nonsense", "runtime.scores.Nonsense", "runtime.scorer.Scorer.nonsense", "x")
    assert all(map(found, there))
    assert not any(map(found, absent))
    assert runs("benchmarks.page")
    assert runs("benchmarks.gpu_acceptance")
    assert not runs("runtime.scores")
    assert not runs("runtime.nonsense")


@pytest.mark.parametrize(
    "name",
    [
        *(f"{entry.module}.{entry.name}" for entry in (*COMMANDS.values(), *PARTS.values())),
        *(f"runtime.reports.{output.module}.{output.writer}" for output in OUTPUTS.values()),
        *(f"runtime.backends.{backend.module}.{backend.session}" for backend in BACKENDS),
        *(f"runtime.backends.trt.{package.module}.{package.gpu}" for package in CUDA_PACKAGES),
        *(f"runtime.{home}.{name}" for name, home in runtime._HOMES.items()),  # pyright: ignore[reportPrivateUsage]
    ],
)
def test_tables_of_lazy_imports_name_what_is_there(name: str) -> None:
    assert found(name)


def test_every_public_name_has_a_home() -> None:
    assert sorted(runtime.__all__) == sorted(runtime._HOMES)  # pyright: ignore[reportPrivateUsage]


def strings(path: Path) -> Iterator[str]:
    """Every string of a module, docstrings too; of one with expressions, what is between them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


NAMED = re.compile(r"\bbrixia_edge((?:\.[A-Za-z_]\w*)+)")
IMPORTED = re.compile(r"\bfrom (brixia_edge[\w.]*) import (\w+(?:, \w+)*)")
RUN = re.compile(r"-m (brixia_edge(?:\.\w+)*)(?!\[)")


def test_texts_name_modules_that_are_there() -> None:
    for path in written_files():
        python = path.suffix == ".py"
        text = "\n".join(strings(path)) if python else path.read_text(encoding="utf-8")
        named = {match[1].removeprefix(".") for match in NAMED.finditer(text)}
        imported = {f"{m[1]}.{name}" for m in IMPORTED.finditer(text) for name in m[2].split(", ")}
        unknown = {name for name in named | imported if not found(name)}
        unknown |= {name for name in RUN.findall(text) if not runs(name)}
        assert not unknown, path.relative_to(ROOT)


def test_the_reading_process_starts_what_is_there() -> None:
    ((module, name),) = IMPORTED.findall(START)
    assert found(f"{module}.{name}")


def test_set_up_names_files_that_are_there() -> None:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    for package, patterns in parser["options.package_data"].items():
        folder = ROOT.joinpath(*package.removeprefix("brixia_edge.").split("."))
        for pattern in re.split(r"[,\s]+", patterns.strip()):
            assert list(folder.glob(pattern)), f"{package}: {pattern}"
    for line in parser["options.entry_points"]["console_scripts"].split("\n"):
        assert not line or found(line.partition("= ")[2].replace(":", "."))


def test_every_pattern_of_the_checks_matches_a_file() -> None:
    settings = toml.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for pattern in settings["tool"]["ruff"]["lint"]["per-file-ignores"]:
        for alternative in _alternatives(pattern):
            assert any(ROOT.glob(alternative)), alternative


def _alternatives(pattern: str) -> list[str]:
    """Expand the one group of alternatives that a pattern may have: pathlib knows none."""
    start, braced, end = re.fullmatch(r"([^{]*)(?:\{(.*)\})?(.*)", pattern).groups()  # type: ignore
    return [start + each + end for each in (braced or "").split(",")]


REFERENCE = re.compile(r"(?<![`\w])`([A-Za-z_][\w.]*)`(?!`)")


@cache
def known_names() -> frozenset[str]:
    """Every name in the rooms' code, and of their modules and folders."""
    names = {*dir(builtins), "brixia_edge"}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        names.update((path.stem, path.parent.name))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for field in ("id", "attr", "name", "arg", "asname"):
                value = getattr(node, field, None)
                names.update([value] if isinstance(value, str) else [])
    return frozenset(names)


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_refer_to_names_that_are_there(room: str) -> None:
    for path in sorted((ROOT / room).rglob("*.py")):
        referred = {name for text in strings(path) for name in REFERENCE.findall(text)}
        unknown = {name for name in referred if not (_known(name) or _of_a_library(name))}
        assert not unknown, path.relative_to(ROOT)


def _known(name: str) -> bool:
    return known_names().issuperset(name.split("."))


def _of_a_library(name: str) -> bool:
    library, dot, _ = name.partition(".")
    return bool(dot) and library not in ROOMS and find_spec(library) is not None
