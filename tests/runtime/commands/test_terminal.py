"""What commands say: through four functions, in characters that do nothing to a terminal."""

import io
import sys

import pytest
from brixia_edge.runtime.commands.terminal import show, tell, tell_lines

HOSTILE = "a\x1b[2J\udce9\u202eb"
ESCAPED = "a\\x1b[2J\\udce9\\u202eb"


class Broken(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_what_is_told_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell(f"{HOSTILE}\n")
    tell_lines(f"{HOSTILE}\nmore")
    assert capsys.readouterr().err == f"{ESCAPED}\\n\n{ESCAPED}\nmore\n"


def test_what_is_shown_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show([HOSTILE, "two\nlines"])
    assert capsys.readouterr().out == f"{ESCAPED}\ntwo\\nlines\n"


def test_a_stream_without_the_letters_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    show(["naïve ♥"])
    assert stream.buffer.getvalue() == b"na\\xefve \\u2665\n"  # pyright: ignore[reportAttributeAccessIssue]


def test_work_goes_on_when_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    tell("anything")


def test_results_that_cannot_be_written_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(BrokenPipeError):
        show(["anything"])
