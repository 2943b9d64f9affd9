"""The parent's side of the reading process: starting it, asking it, ending it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import ReadingProcessUnavailable, UnreadableImage
from ..preparation.preprocess import PreprocessSpec
from ..reading.options import ReadingOptions
from .messages import BrokenMessage, EndOfMessages, Message, receive, send

_START = (
    "import sys; sys.path[:] = sys.argv[1:];"
    "from brixia_edge.runtime.sources.child import main; main()"
)
"""Looks for modules where this process does: `python -m` would take any from the current folder."""

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_STARTING_SECONDS = 120.0
_STOPPING_SECONDS = 5.0


@dataclass(frozen=True)
class ReadingLimits:
    """What reading and preparing one file may take.

    Attributes
    ----------
    memory
        Bytes of address space of the reading process, 0.3 GiB of which it has from the start.
    seconds
        Wall-clock time for each file.
    """

    memory: int = 4 * 2**30
    seconds: float = 60.0


class ReadingProcess:
    """One reading process, started at once; asked by one thread, ended by any.

    Parameters
    ----------
    spec
        How the bundle wants its images prepared.
    limits
        What the process may take.
    options
        What may be chosen about reading.

    Raises
    ------
    ReadingProcessUnavailable
        The system starts no process.
    """

    def __init__(
        self, spec: PreprocessSpec, limits: ReadingLimits, options: ReadingOptions
    ) -> None:
        self._limits = limits
        self._settings = {
            "preprocess": spec.to_dict(),
            "memory": limits.memory,
            "seconds": limits.seconds,
            "options": asdict(options),
        }
        self._greeting: Message | None = None
        self._process = _started()

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def memory_limited(self) -> bool:
        """Whether the system limits its memory, which the process tells once it has started.

        Raises
        ------
        ReadingProcessUnavailable
            It does not start.
        """
        if self._greeting is None:
            try:
                self._greeting = self._exchange(self._settings, _STARTING_SECONDS)
            except (BrokenMessage, UnreadableImage) as error:
                raise _not_started(f"did not start: {error}") from error
        return self._greeting.header.get("memory_limited") is True

    def ask(self, path: Path) -> Message:
        """Have a file read and prepared.

        Raises
        ------
        UnreadableImage
            It took longer than the limit, crashed the process, or made it answer nonsense; the
            process has ended then.
        ReadingProcessUnavailable
            The process does not start.
        """
        self.memory_limited()
        return self._exchange({"path": os.path.abspath(path)}, self._limits.seconds)

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not sent yet
                cast(BinaryIO, stream).close()

    def _exchange(self, header: Mapping[str, object], seconds: float) -> Message:
        expired = threading.Event()

        def give_up() -> None:
            expired.set()
            self._process.kill()

        # A timer rather than a wait on the pipe: it works alike on every system.
        timer = threading.Timer(seconds, give_up)
        timer.start()
        try:
            send(cast(BinaryIO, self._process.stdin), Message(header))
            return receive(cast(BinaryIO, self._process.stdout))
        except (OSError, ValueError, BrokenMessage) as error:
            timer.cancel()
            code = self._stopped(isinstance(error, EndOfMessages | OSError))
            raise UnreadableImage(
                _too_slow(seconds) if expired.is_set() else _crashed(code)
            ) from error
        finally:
            timer.cancel()

    def _stopped(self, by_itself: bool) -> int | None:
        """Give the exit status of a process that stopped by itself; end any other."""
        try:
            # Its end comes a little after that of its answers.
            return self._process.wait(_STOPPING_SECONDS if by_itself else 0)
        except subprocess.TimeoutExpired:
            self.end()
            return None


def _started() -> "subprocess.Popen[bytes]":
    if not sys.executable:
        raise _not_started("cannot be started: this program has no Python interpreter of its own")
    try:
        return subprocess.Popen(  # noqa: S603 - this interpreter, and no word from a file
            [sys.executable, "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Decoders quote what they read.
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
            # Ctrl-C is for this process, which then ends the other.
            start_new_session=True,
        )
    except OSError as error:
        raise _not_started(f"cannot be started: {error.strerror}") from error


def _not_started(why: str) -> ReadingProcessUnavailable:
    return ReadingProcessUnavailable(
        f"the process that reads files {why}. Give --no-isolate, or no limits, to read without it"
    )


def _too_slow(seconds: float) -> str:
    return (
        f"took longer than {seconds:g} s to read and prepare, the most that a file may take: it is "
        "crafted or damaged, or the machine is overloaded. Give it as uncompressed DICOM"
    )


def _crashed(code: int | None) -> str:
    how = "made the process that read it answer nonsense"
    if code is not None:
        how = f"ended the process that read it ({_told_status(code)})"
    return f"{how}: it is damaged, or crafted to do so. Copy it again from its source"


def _told_status(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit status {code}"
