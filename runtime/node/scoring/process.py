"""The parent's side of the scoring process: starting it, asking it, telling its end."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from ...errors import BackendUnavailable
from ...reports.prior import PriorReport
from ...sources.messages import BrokenMessage, Message, receive, send

_START = (
    "import sys; sys.path[:] = sys.argv[1:];"
    "from brixia_edge.runtime.node.scoring.child import main; main()"
)
_STARTING_SECONDS = 300.0


@dataclass(frozen=True)
class ScoringSettings:
    """What the scoring process works with.

    Attributes
    ----------
    bundle
        Its folder; None for the one that ships.
    backend, threads
        As of `Scorer`.
    objects
        The folder for answers; None where none are to be made.
    seconds
        The most that one image may take.
    """

    bundle: Path | None
    backend: str = "auto"
    threads: int | None = None
    objects: Path | None = None
    seconds: float = 600.0

    def to_header(self) -> dict[str, object]:
        """As it is sent."""
        return {
            "bundle": str(self.bundle or ""),
            "backend": self.backend,
            "threads": self.threads,
            "objects": str(self.objects or ""),
        }


class ScoringCrashed(Exception):
    """The process ended, hung or answered nonsense over one image."""


class ScoringProcess:
    """One scoring process, asked by one thread, ended by any.

    Parameters
    ----------
    settings
        What it works with.

    Raises
    ------
    BackendUnavailable
        It does not start, or cannot open the bundle or the backend; the reason is told.
    """

    def __init__(self, settings: ScoringSettings) -> None:
        self._seconds = settings.seconds
        self._process = _started()
        try:
            self._tell(settings.to_header())
            greeting = self._hear(_STARTING_SECONDS)
        except ScoringCrashed as error:
            raise BackendUnavailable(f"the scoring process did not start: {error}") from error
        told = greeting.get("error")
        if told is not None:
            self.end()
            raise BackendUnavailable(str(told["message"]))
        self.settings = settings
        self.backend = str(greeting.get("backend"))
        self.bundle = str(greeting.get("bundle"))
        """The digest of the bundle that it opened."""

    def score(
        self, path: Path, kinds: tuple[str, ...] = (), prior: PriorReport | None = None
    ) -> Mapping[str, Any]:
        """Have an image scored and answered; see `begin` and `finish`."""
        self.begin(path, kinds, prior)
        return self.finish()

    def begin(
        self, path: Path, kinds: tuple[str, ...] = (), prior: PriorReport | None = None
    ) -> None:
        """Ask for an image to be scored and answered, after those that were asked for before.

        An image is read while the one before is scored, and answered while the next one is.

        Parameters
        ----------
        path
            The image.
        kinds
            Which answers to make.
        prior
            The patient's report before.

        Raises
        ------
        ScoringCrashed
            The process has ended.
        """
        told = None if prior is None else vars(prior)
        self._tell({"path": str(path), "kinds": list(kinds), "prior": told})

    def finish(self) -> Mapping[str, Any]:
        """Wait for what was asked for first.

        Returns
        -------
        Mapping[str, Any]
            ``score``, ``observed`` and ``objects``; ``error`` with its type and message where the
            image is at fault; ``disk`` where the disk is.

        Raises
        ------
        ScoringCrashed
            The process has ended.
        BackendUnavailable
            Nothing can be scored, whatever the image; the process is ended.
        """
        found = self._hear(self._seconds)
        if "unable" in found:
            self.end()
            raise BackendUnavailable(str(found["unable"]))
        return found

    def end(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                cast(BinaryIO, stream).close()

    def _tell(self, header: Mapping[str, object]) -> None:
        try:
            send(cast(BinaryIO, self._process.stdin), Message(header))
        except (OSError, ValueError) as error:
            raise self._crashed() from error

    def _hear(self, seconds: float) -> Mapping[str, Any]:
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            return receive(cast(BinaryIO, self._process.stdout)).header
        except (OSError, ValueError, BrokenMessage) as error:
            raise self._crashed() from error
        finally:
            timer.cancel()

    def _crashed(self) -> ScoringCrashed:
        self.end()
        status = self._process.returncode
        return ScoringCrashed(
            f"it ended with status {status} or took more than {self._seconds:g} s"
        )


def _started() -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 - this interpreter, and no word from a file
            [sys.executable, "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries quote what they read
            env=dict(os.environ),
            # Ctrl-C is for the node, which then ends this one.
            start_new_session=True,
        )
    except OSError as error:
        raise BackendUnavailable(
            f"the scoring process cannot be started: {error.strerror}"
        ) from error
