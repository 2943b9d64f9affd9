"""The log is lines of JSON, and holds what this code says, not what an object held."""

import json
import logging
import threading
import warnings
from collections.abc import Generator

import pytest
from brixia_edge.runtime.node.operating.logs import LOGGER, log, start_logging, warn

LIBRARIES = ("pynetdicom", "pydicom", "uvicorn", "uvicorn.error", "uvicorn.access")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Leave logging as it was."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    loggers = [LOGGER, *map(logging.getLogger, LIBRARIES)]
    kept = [(each.handlers, each.level, each.propagate) for each in loggers]
    with warnings.catch_warnings():
        yield
    for logger, (handlers, level, propagate) in zip(loggers, kept, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_each_event_is_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging()
    log("ready", listen="here")
    warn("two\nlines")
    found = lines(capsys)
    assert [(each["level"], each["event"]) for each in found] == [
        ("info", "ready"),
        ("warning", "two\nlines"),
    ]
    assert found[0]["listen"] == "here"


def test_a_thread_that_dies_is_told_in_one_line_without_what_it_held(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise RuntimeError("SECRET^PERSON")

    start_logging()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert [(each["event"], each["error"]) for each in lines(capsys)] == [
        ("a thread ended by a fault", "RuntimeError")
    ]


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_say_nothing(capsys: pytest.CaptureFixture[str], library: str) -> None:
    start_logging()
    logging.getLogger(f"{library}.below").error("SECRET^PERSON")
    warnings.warn("SECRET^PERSON", stacklevel=1)
    assert not lines(capsys)
