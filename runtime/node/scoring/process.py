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
            greeting = self._exchange(settings.to_header(), _STARTING_SECONDS)
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
        """Have an image scored and answered.

        Parameters
        ----------
        path
            The image.
        kinds
            Which answers to make.
        prior
            The patient's report before.

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
        told = None if prior is None else vars(prior)
        request = {"path": str(path), "kinds": list(kinds), "prior": told}
        found = self._exchange(request, self._seconds)
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

    def _exchange(self, header: Mapping[str, object], seconds: float) -> Mapping[str, Any]:
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            send(cast(BinaryIO, self._process.stdin), Message(header))
            return receive(cast(BinaryIO, self._process.stdout)).header
        except (OSError, ValueError, BrokenMessage) as error:
            self.end()
            raise ScoringCrashed(
                f"it ended with status {self._process.returncode} or took more than {seconds:g} s"
            ) from error
        finally:
            timer.cancel()


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
