"""What README.md and the pages in docs/ show is what happens.

Every block of commands is run and compared with what it shows, or says why it is not; every
command and option that is named exists, and every page is found from the README.
"""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import click
import numpy as np
import pytest
from brixia_edge.runtime.cli import COMMANDS, command
from brixia_edge.runtime.commands.demo import demo_radiograph
from numpy.typing import NDArray
from pages import COMMANDS as LANGUAGES
from pages import PAGES, ROOT, Block, all_blocks, sections

README = (ROOT / "README.md").read_text(encoding="utf-8")

SET_UP = ("Set up and score a radiograph", "Set up and pass the tests")
"""Sections of the README whose commands make an environment; `.ci/run` runs the second."""

VARYING = (
    (r"\d+ ms", "# ms"),
    (r"\d\.\de-\d\d", "#e"),
    (r"sha256 +[0-9a-f]{12,64}", "sha256 #"),
    (r"\d+\.\d\d MB", "# MB"),
    (r"built with .*", "built with"),
    (r"[0-9a-f]{16}-(\w+)\.", r"#-\1."),
    (r"^\S*/runtime/model:", "runtime/model:"),
    (r" {2,}", "  "),
)
"""What differs between machines, weights and versions."""

MACHINES_OWN = ("  WARNING", "  absent", "machine ")
"""Lines of a benchmark that another machine does not have."""

SLOW, WEIGHTS, ANNOTATED = "slow", "weights", "annotated radiographs"
WORDS_ONLY, SUBJECTS, PRINTS = "lines without numbers", "subjects of each line", "prints "
HOW = (SLOW, WEIGHTS, ANNOTATED, WORDS_ONLY, SUBJECTS)
"""What a ``run:`` remark may say, beside what a Python example prints."""


def examples() -> list[object]:
    """The examples of each section together: they are run in one folder, in their order."""
    wanted = [block for block in all_blocks() if block.is_example and block.section not in SET_UP]
    groups = groupby(wanted, key=lambda block: (block.page, block.section))
    return [section_example(f"{page}: {title}", list(found)) for (page, title), found in groups]


def section_example(name: str, found: Sequence[Block]) -> object:
    slow = any(SLOW in block.how for block in found)
    return pytest.param(found, id=name, marks=[pytest.mark.slow] if slow else [])


def normalised(text: str) -> str:
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text.strip()


Shell = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chest.dcm").write_bytes(demo_radiograph().read_bytes())
    return tmp_path


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


@pytest.fixture
def weights(
    folder: Path,
    seeded_tensors: dict[str, NDArray[np.float32]],
    keras_file: Callable[..., Path],
) -> None:
    """Weights that may be shipped, under the name that the pages give the released ones."""
    keras_file(seeded_tensors).rename(folder / "bscore-model.h5")


@pytest.fixture
def annotated(folder: Path, shared: Callable[[str], Path]) -> None:
    """The radiographs that the shipped model was trained on, and their annotations."""
    (folder / "radiographs").symlink_to(shared("cohen/images"))
    (folder / "annotations.csv").write_bytes(shared("cohen/annotations.csv").read_bytes())


@pytest.mark.parametrize("section", examples())
def test_the_examples_print_what_is_shown(
    section: Sequence[Block], shell: Shell, request: pytest.FixtureRequest
) -> None:
    how = {word for block in section for word in block.how}
    if WEIGHTS in how:
        request.getfixturevalue("weights")
    if ANNOTATED in how:
        request.getfixturevalue("annotated")
    for block in section:
        compare(block, shell)


def compare(block: Block, shell: Shell) -> None:
    if block.language == "python":
        (printed,) = (word.removeprefix(PRINTS) for word in block.how if word.startswith(PRINTS))
        assert shell(f"python - <<'END'\n{block.text}END") == f"{printed}\n"
        return
    printed = shell(block.commands)
    if WORDS_ONLY in block.how:
        own = [line for line in block.shown.splitlines() if not line.startswith(MACHINES_OWN)]
        assert set(map(words, own)) <= set(map(words, printed.splitlines()))
    elif SUBJECTS in block.how:
        assert subjects(printed) == subjects(block.shown)
    else:
        assert matches(normalised(printed), normalised(block.shown)), printed


def words(line: str) -> str:
    """A line without its numbers."""
    return re.sub(r"[-\d.,]+%?", "#", re.sub(r"\s+", " ", line)).strip()


def subjects(text: str) -> list[str]:
    """The second column of a table of verdicts."""
    return [line[8:40] for line in text.splitlines()]


def matches(printed: str, shown: str) -> bool:
    """Whether a text is what is shown, where a line of three dots stands for any lines."""
    start, *end = re.split(r"^\.\.\.\n", shown, maxsplit=1, flags=re.MULTILINE)
    if not end:
        return printed == shown
    enough = len(printed) >= len(start) + len(end[0])
    return enough and printed.startswith(start) and printed.endswith(end[0])


def test_three_dots_stand_for_any_lines() -> None:
    assert matches("a\nb\nc", "a\n...\nc")
    assert matches("a\nc", "...\nc")
    assert not matches("a\nb\nd", "a\n...\nc")
    assert not matches("a\nb\nc", "a\nc")


@pytest.mark.parametrize("block", all_blocks(), ids=lambda block: f"{block.page}: {block.section}")
def test_every_block_is_run_or_says_why_not(block: Block) -> None:
    assert block.language, "name the block's language: text where it is no command"
    if block.language not in LANGUAGES:
        assert not (*block.how, *block.reason), "a remark about a block that is no command"
    elif block.language == "sh":
        assert block.reason or block.section in SET_UP, "show what it prints, or say: not run: why"
    assert all(word in HOW or word.startswith(PRINTS) for word in block.how)


def test_the_pages_hold_examples_of_every_command() -> None:
    shown = "\n".join(block.commands for block in all_blocks() if block.is_example)
    assert set(re.findall(r"brixia-edge (\w+)", shown)) == set(COMMANDS)


def calls() -> list[tuple[str, str]]:
    """Every call of the program that is written in a block or as inline code, with its page."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        in_blocks = re.findall(r"^```\w+\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
        inline = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
        code = "\n".join([*in_blocks, *(" ".join(part.split()) for part in inline)])
        found += [
            (page.name, call)
            for call in re.findall(r"(?:brixia-edge |-m brixia.edge[.\w]* )[^\n&|]*", code)
        ]
    return found


@pytest.mark.parametrize(("page", "call"), calls())
def test_every_option_that_a_page_gives_a_command_exists(page: str, call: str) -> None:
    name, *arguments = call.split()
    known, arguments = (by_module if name == "-m" else resolve)(arguments)
    given = {word.partition("=")[0].strip("[]") for word in arguments if word[:1] in "-["}
    assert {word for word in given if word.startswith("-")} - {"-", "--help"} <= known, page


def resolve(arguments: Sequence[str]) -> tuple[set[str], Sequence[str]]:
    """The options that the named command takes, and the arguments behind its name."""
    here: click.Command = command
    context = click.Context(command)
    while isinstance(here, click.Group) and arguments:
        below = here.get_command(context, arguments[0])
        if below is None:
            break
        here, arguments = below, arguments[1:]
    return options(here), arguments


def by_module(arguments: Sequence[str]) -> tuple[set[str], Sequence[str]]:
    """The options of a module that is run with ``python -m``, and the arguments behind its name."""
    module = importlib.import_module(arguments[0])
    if not hasattr(module, "command"):
        module = importlib.import_module(f"{arguments[0]}.cli")
    return options(module.command), arguments[1:]


def options(one: click.Command) -> set[str]:
    return {name for option in one.params for name in (*option.opts, *option.secondary_opts)}


def every_option() -> set[str]:
    """The options of all commands, of those below them, and of modules that the pages run."""
    context = click.Context(command)
    found = options(command)
    for _, call in calls():
        if call.startswith("-m "):
            found |= by_module(call.split()[1:])[0]
    for name in COMMANDS:
        one = command.get_command(context, name)
        assert one is not None
        found |= options(one)
        if isinstance(one, click.Group):
            below = (one.get_command(context, part) for part in one.list_commands(context))
            found |= {option for part in below if part is not None for option in options(part)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_a_page_names_is_one_of_a_command(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    named = set(re.findall(r"`(--[a-z][-a-z]*)", text))
    assert named - {"--help"} <= every_option()


def test_every_option_is_told_of_on_a_page() -> None:
    told = re.findall(r"--[a-z][-a-z]*", "\n".join(page.read_text("utf-8") for page in PAGES))
    long = {name for name in every_option() if name.startswith("--")}
    untold = without_negation(long) - without_negation(told)
    assert not untold


def without_negation(names: Iterable[str]) -> set[str]:
    """Options by their names, ``--no-drift`` as ``--drift``: one of the two tells of both."""
    return {name.replace("--no-", "--") for name in names}


def links(page: Path) -> set[Path]:
    """The files of this repository that a page links to."""
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    return {(page.parent / target).resolve() for target in targets if "://" not in target}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert not [target for target in links(page) if not target.is_file()]


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    coming = {ROOT / "README.md"}
    while coming:
        page = coming.pop()
        reached.add(page)
        coming |= {target for target in links(page) if target.suffix == ".md"} - reached
    assert set(PAGES) <= reached


def test_the_readme_is_a_front_page_that_lists_every_command() -> None:
    assert len(README.splitlines()) <= 150
    table = dict(sections(README))["Commands"]
    assert set(re.findall(r"^\| \[`(\w+)`\]\(docs/", table, flags=re.MULTILINE)) == set(COMMANDS)


def test_the_first_command_ends_with_the_demo(shell: Shell) -> None:
    assert dict(sections(README))[SET_UP[0]].count("brixia-edge demo\n```") == 1
    assert "Brixia score 7 of 18 (expected 8.2)" in shell("brixia-edge demo")


def test_ci_runs_the_second_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert SET_UP[1] in script
    wanted = ".venv/bin/pip install --quiet '.[test]' && scripts/check && scripts/test"
    assert wanted in dict(sections(README))[SET_UP[1]]
