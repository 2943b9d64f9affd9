"""Answers to a destination that is none any more are told, and given up only when asked to."""

from collections.abc import Callable
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.cli import main

pytest.importorskip("pynetdicom", reason="the extra 'node' is not installed")

from brixia_edge.runtime.node.state.rows import AnswerObject, Received, Result
from brixia_edge.runtime.node.state.store import Store
from node_doubles import Archive, free_port, toml

IMAGE = Received("1.2.3", "ab", "1.2.840", "1.2", 5, "XR1", "1.9", "", "", "a.dcm")
ANSWER = AnswerObject("sr", "2.25.1", "1.2.840.88", "sr.dcm", "cd")


@pytest.fixture
def run(tmp_path: Path, tiny_bundle: Bundle) -> Callable[..., int]:
    """`brixia-edge node` where an answer waits for ``old``; the configuration names ``pacs``."""
    (tmp_path / "data").mkdir()
    store = Store.open(tmp_path / "data")
    store.inbox.add(IMAGE)
    instance = store.inbox.next_to_score("newest")
    assert instance is not None
    store.inbox.finish(instance.id, Result("digest", "{}"), [ANSWER], [("old", ("sr",))])
    store.close()
    config = tmp_path / "node.toml"
    text = toml(tmp_path / "data", free_port(), free_port(), Archive())
    config.write_text(text.replace("BUNDLE", str(tiny_bundle.root)))

    def command(*words: str) -> int:
        return main(["node", *words, "--config", str(config)])

    return command


def test_stranded_answers_are_told_with_what_to_do_until_they_are_dropped(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("status") == 1
    told = capsys.readouterr().err
    assert "1 answer is to go to old" in told
    assert "brixia-edge node drop old" in told
    assert run("drop", "old") == 0
    assert capsys.readouterr().out == "1 answers are given up\n"
    assert run("status") == 0


def test_nothing_is_discarded_that_did_not_fail(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("discard", "1.2.3") == 0
    assert capsys.readouterr().out == "0 images are discarded\n"


def test_a_destination_that_is_named_keeps_its_answers(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("drop", "pacs") != 0
    assert "names the destination 'pacs'" in capsys.readouterr().err
