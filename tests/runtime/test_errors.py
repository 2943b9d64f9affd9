"""The tree of errors is as it is drawn, and each has its exit status, as docs/errors.md says."""

import inspect
import re
from pathlib import Path

import pytest
from brixia_edge.runtime import cli, errors
from brixia_edge.runtime.cli import COMMANDS, LazyCommand, main
from brixia_edge.runtime.errors import BrixiaEdgeError, CannotRun, MissingExtra, OutputRefused

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
DRAWN = re.compile(r"^ {4}([│ ]*)[├└]── (\w+) +\S", re.MULTILINE)

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, BrixiaEdgeError)
]


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = [
        (len(match[1]) // 4, match[2]) for match in DRAWN.finditer(inspect.getdoc(errors) or "")
    ]
    assert {name for _, name in drawn} == {kind.__name__ for kind in CLASSES} - {"BrixiaEdgeError"}
    for depth, name in drawn:
        assert len(getattr(errors, name).__mro__) - len(BrixiaEdgeError.__mro__) == depth + 1
    below = [name for depth, name in drawn if depth]
    assert all(issubclass(getattr(errors, name), CannotRun) for name in below)


@pytest.mark.parametrize("kind", CLASSES)
def test_each_error_has_the_exit_status_that_the_page_tells(
    kind: type[BrixiaEdgeError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise kind("the element is so, and must be otherwise")

    monkeypatch.setattr(cli.command, "main", fail)
    status = main([])
    assert status == (3 if issubclass(kind, CannotRun) else 2 if kind is OutputRefused else 1)
    if kind not in (BrixiaEdgeError, CannotRun):
        assert re.search(rf"^\| {status} +\| `{kind.__name__}` ", PAGE, re.MULTILINE)
    assert capsys.readouterr().err == "Error: the element is so, and must be otherwise\n"


@pytest.mark.parametrize(
    ("arguments", "install"),
    [(["absent"], "[export]"), (["benchmark", "peers"], "[peers]")],
    ids=["command", "part of a command"],
)
def test_a_command_without_its_extra_tells_the_line_that_installs_it(
    arguments: list[str],
    install: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lacking = LazyCommand("no_such_library", "command", "Does nothing.", install.strip("[]"))
    monkeypatch.setattr(cli, "COMMANDS", {**COMMANDS, "absent": lacking})
    monkeypatch.setattr("brixia_edge.benchmarks.cli.PARTS", {"peers": lacking})
    assert main(arguments) == 3
    told = capsys.readouterr().err
    assert f"`brixia-edge {' '.join(arguments)}` needs no_such_library" in told
    assert f"pip install 'brixia-edge{install}'" in told


def test_what_misses_names_what_needs_it_and_the_line() -> None:
    error = MissingExtra.of("a picture", "matplotlib", errors.pip_line("report"))
    assert str(error) == (
        "a picture needs matplotlib, which is not installed; install it: "
        "pip install 'brixia-edge[report]'"
    )
