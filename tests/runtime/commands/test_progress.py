"""How far long work is: a bar on a terminal, lines off it, and nothing for what is short."""

import sys
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from brixia_edge.runtime.commands import progress
from brixia_edge.runtime.commands.progress import Meter, duration, show_progress, show_results


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    return clock


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[[StringIO], StringIO]:
    """Put a stream in the place of standard error; pytest would take it back before a test."""

    def put(stream: StringIO) -> StringIO:
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return put


Instead = Callable[[StringIO], StringIO]


def test_off_a_terminal_a_line_comes_every_half_minute(clock: Clock, instead: Instead) -> None:
    log = instead(StringIO())
    for _ in show_progress("Measuring", range(100)):
        clock.now += 7
    told = log.getvalue().splitlines()
    assert told[0] == "Measuring: 5%, about 11 min left"
    assert len(told) == 20


def test_short_work_says_nothing_off_a_terminal(clock: Clock, instead: Instead) -> None:
    log = instead(StringIO())
    for _ in show_progress("Measuring", range(100)):
        clock.now += 0.29
    assert log.getvalue() == ""


def test_results_that_take_long_to_come_are_counted_when_they_have_come(
    clock: Clock, instead: Instead
) -> None:
    log = instead(StringIO())

    def results() -> Iterator[int]:
        for number in range(4):
            clock.now += 40
            yield number

    assert list(show_results("Scoring", results(), 4)) == [0, 1, 2, 3]
    assert log.getvalue().splitlines()[1] == "Scoring: 50%, about 80 s left"


def test_a_terminal_has_a_bar_with_the_stage(instead: Instead) -> None:
    terminal = instead(Terminal())
    assert list(show_progress("Measuring", [1, 2, 3])) == [1, 2, 3]
    assert "Measuring" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_results_take_the_bars_place(instead: Instead) -> None:
    terminal = instead(Terminal())
    for _ in show_results("Scoring", [1, 2]):
        assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("count", [0, 1])
def test_one_step_is_not_counted(instead: Instead, count: int) -> None:
    terminal = instead(Terminal())
    list(show_progress("Measuring", range(count)))
    assert terminal.getvalue() == ""


def test_a_closed_standard_error_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    for _ in show_progress("Measuring", range(4)):
        clock.now += 60


def test_items_without_a_length_are_counted_first(clock: Clock, instead: Instead) -> None:
    log = instead(StringIO())
    for _ in show_progress("Measuring", iter(range(4))):
        clock.now += 60
    assert log.getvalue().splitlines()[-1] == "Measuring: 100%, about 0 s left"


def test_a_meter_does_not_go_back(clock: Clock, instead: Instead) -> None:
    log = instead(StringIO())
    with Meter("Building", 1000) as meter:
        for done in (500, 200, 600):
            clock.now += 31
            meter.reach(done)
    assert [line.split(",")[0] for line in log.getvalue().splitlines()] == [
        "Building: 50%",
        "Building: 60%",
    ]


def test_items_come_when_the_caller_stops_early(instead: Instead) -> None:
    terminal = instead(Terminal())
    for item in show_progress("Measuring", range(9)):
        if item == 3:
            break
    assert terminal.getvalue().endswith("\n")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "about 0 s"), (89, "about 89 s"), (90, "about 2 min"), (5400, "about 1.5 h")],
)
def test_durations_are_round(seconds: float, told: str) -> None:
    assert duration(seconds) == told
