"""The house keeps its arrows, its lean room stays lean, and the wheel holds all of it."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOWER = ("benchmarks", "export", "calibration", "runtime")
"""Each room may import those behind it: one straight tower."""

MAY_IMPORT_EXPORT = (Path("benchmarks/peers"), Path("benchmarks/roofline"))
"""The parts of benchmarks that do; the others need no extra."""

HEAVY = ("onnx", "h5py", "tensorrt", "tensorrt_rtx", "pycuda", "cuda", "openvino", "highdicom")

STREAMS = {"click.echo", "click.secho", "print", "sys.stdout", "sys.stderr"}

MAY_WRITE = {
    "runtime.commands.terminal": "what is said is escaped here",
    "runtime.commands.stopping": "puts something in the place of closed ones",
    "runtime.commands.progress": "draws a bar of its own labels",
    "runtime.commands.writing": "gives the stream to a report, which escapes",
    "runtime.commands.demo": "gives the stream to a report, which escapes",
    "benchmarks.agreement.cli": "gives the stream to `CsvRows`, which escapes",
    "runtime.cli": "flushes at the end",
    "runtime.backends": "a library may be without commands",
    "runtime.sources.messages": "its answers go to the process that asked",
    "runtime.node.scoring.child": "its answers go to the process that asked",
    "runtime.node.operating.logs": "its lines are JSON, which escapes",
    "benchmarks.latency.cold_start_child": "a child that reports to its parent",
    "benchmarks.scaling.score_child": "a child that reports to its parent",
    "benchmarks.scaling.worker": "a child that reports to its parent",
}
"""Why a module may use standard streams itself."""


def modules(room: str) -> list[Path]:
    """Every module of a room."""
    found = sorted((ROOT / room).rglob("*.py"))
    assert found
    return found


def dotted(path: Path) -> str:
    """A module's name below `brixia_edge`, as ``runtime.scores``; a package's is its folder's."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for room in TOWER for path in modules(room)}


def imports(path: Path, when_loaded: bool = False) -> Iterator[str]:
    """The modules of the house that a module imports, absolutely or relatively.

    With `when_loaded`, only those that it imports as it is imported itself: neither those
    inside functions nor those for type checkers.
    """
    package = path.relative_to(ROOT).parent.parts
    for node in _nodes(ast.parse(path.read_text(encoding="utf-8")), when_loaded):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".", 1)[1] for alias in node.names if _ours(alias.name)]
        elif isinstance(node, ast.ImportFrom) and (node.level or _ours(node.module or "")):
            base = package[: len(package) - node.level + 1] if node.level else ()
            below = (node.module or "").removeprefix("brixia_edge.")
            start = ".".join([*base, *filter(None, [below])])
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name if name in MODULES else name.rpartition(".")[0]


def _ours(name: str) -> bool:
    return name.startswith("brixia_edge.")


def _nodes(tree: ast.AST, when_loaded: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        later = isinstance(node, ast.FunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        if not (when_loaded and later):
            yield node
            yield from _nodes(node, when_loaded)


@pytest.mark.parametrize("room", TOWER)
def test_rooms_import_only_down_the_tower(room: str) -> None:
    below = set(TOWER[TOWER.index(room) :])
    for path in modules(room):
        rooms = {name.partition(".")[0] for name in imports(path)}
        assert rooms <= below, f"{path.relative_to(ROOT)} imports {rooms - below}"


def test_only_peers_and_roofline_need_the_exporter() -> None:
    for path in modules("benchmarks"):
        needs = any(name.startswith("export.") for name in imports(path))
        allowed = any(ROOT / folder in path.parents for folder in MAY_IMPORT_EXPORT)
        assert allowed or not needs, path.relative_to(ROOT)


def test_the_tower_test_sees_relative_imports() -> None:
    assert "runtime.errors" in set(imports(ROOT / "export" / "exporter.py"))


@pytest.mark.parametrize("room", TOWER)
def test_no_modules_import_each_other_in_a_circle(room: str) -> None:
    arrows = {name: set(imports(path)) - {name} for name, path in MODULES.items()}
    here = {name for name in arrows if name.partition(".")[0] == room}
    assert not circle({name: arrows[name] & here for name in here})


@pytest.mark.parametrize("room", TOWER)
def test_no_wings_of_a_room_import_each_other_in_a_circle(room: str) -> None:
    arrows: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        if name.startswith(f"{room}."):
            wing = name.split(".")[1]
            targets = {each.split(".")[1] for each in imports(path) if each.startswith(f"{room}.")}
            arrows.setdefault(wing, set()).update(targets - {wing})
    here = set(arrows)
    assert not circle({wing: targets & here for wing, targets in arrows.items()})


def circle(arrows: Mapping[str, set[str]]) -> list[str]:
    """What is left when all that nothing left over points at is taken away, again and again."""
    left = dict(arrows)
    while free := [name for name in left if not any(name in left[other] for other in left)]:
        for name in free:
            del left[name]
    return sorted(left)


def test_the_circle_test_finds_one() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]


def test_the_runtime_imports_without_what_only_exporting_needs() -> None:
    code = f"""
import sys, importlib, pkgutil
for name in {HEAVY!r}:
    sys.modules[name] = None
import brixia_edge.runtime as runtime
for module in pkgutil.walk_packages(runtime.__path__, runtime.__name__ + "."):
    # Importing a backend's module is the opt-in to its library; the plain one is onnxrt. So it is
    # with the two that make structured reports, and with the node.
    lean = (".base", ".onnxrt", ".onnxrt_session")
    backend = ".backends." in module.name and not module.name.endswith(lean)
    extra = ".node" in module.name or module.name.endswith(
        (".structured_report", "_report_content")
    )
    if not backend and not extra:
        importlib.import_module(module.name)
[getattr(runtime, name) for name in runtime.__all__]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", TOWER)
def test_only_the_terminal_module_writes_to_standard_streams(room: str) -> None:
    for name in (name for name in MODULES if name.partition(".")[0] == room):
        tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
        written = {ast.unparse(node) for node in ast.walk(tree)} & STREAMS
        assert not written or name in MAY_WRITE, f"{name} uses {written}"


WRITES_ITS_OWN_WAY = {
    "runtime.files": "the one writer",
    "runtime.node.receiving.arrival": "a keyed digest",
    "runtime.node.receiving.spool": "takes one image from several callers at a time, and says why",
    "benchmarks.scaling.tiny_bundle": "thousands of small files of a temporary folder",
}


@pytest.mark.parametrize("room", TOWER)
def test_files_are_written_and_digested_in_one_place(room: str) -> None:
    for path in modules(room):
        if dotted(path) not in WRITES_ITS_OWN_WAY:
            found = _writes(ast.parse(path.read_text(encoding="utf-8")))
            assert not found, f"{path.relative_to(ROOT)} has {found}; see runtime/files.py"


def _writes(tree: ast.AST) -> set[str]:
    """What writes, renames or digests a file by hand."""
    named = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    ends = {name.rpartition(".")[2] for name in named}
    return (ends & {"write_text", "write_bytes"}) | (named & {"os.replace", "hashlib.sha256"})


def test_no_module_is_named_after_a_package_it_may_use() -> None:
    names = {path.stem for room in TOWER for path in modules(room)}
    assert not names & {*HEAVY, "onnxruntime", "numpy", "pydicom", "click"}


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import brixia_edge.runtime

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = brixia_edge.runtime.nonsense


def test_every_package_is_listed_for_the_wheel() -> None:
    listed = set(_setup_packages())
    folders = {path.parent for room in TOWER for path in modules(room)}
    expected = {"brixia_edge." + ".".join(f.relative_to(ROOT).parts) for f in folders}
    assert listed == {"brixia_edge"} | expected


def test_the_package_knows_its_version_and_runs() -> None:
    code = "import brixia_edge as package, brixia_edge.runtime as runtime; " + (
        "print('brixia-edge', package.__version__); print('brixia-edge', runtime.__version__)"
    )
    calls = (["-c", code], ["-m", "brixia_edge", "--version"])
    told = [
        subprocess.run([sys.executable, *call], capture_output=True, text=True, check=True).stdout
        for call in calls
    ]
    assert set("".join(told).splitlines()) == {f"brixia-edge {version('brixia-edge')}"}


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    import brixia_edge

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = brixia_edge.nonsense


def _setup_packages() -> list[str]:
    from configparser import ConfigParser

    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser["options"]["packages"].split()
