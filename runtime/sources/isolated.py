"""Reading files in another process, within limits, while the network runs in this one.

Files from outside are decoded by libraries written in C, which crafted files have led astray
before. Here they can take no more than some memory and time, and what they crash is a process that
is started anew; the file is told as unreadable, and the next one is read. The reading process is
one file ahead, so that a radiograph is decoded while the network works on the one before.

It is no sandbox: the process may open what its user may open.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import BrixiaEdgeError, CannotRun, UnreadableImage
from ..preparation.preprocess import PreprocessSpec
from ..reading.options import AS_STORED, ReadingOptions
from ..results import UnscoredFile
from .messages import BrokenMessage
from .process import ReadingLimits, ReadingProcess
from .radiograph_message import prepared_from
from .source import LocalSource, PreparedRadiograph, RadiographSource


class IsolatedSource:
    """A `RadiographSource` that reads in a process of its own.

    The process starts at once, so that it is ready when the network is; `close` ends it.

    Parameters
    ----------
    spec
        How the bundle wants its images prepared.
    limits
        What each file may take.
    options
        What may be chosen about reading.

    Raises
    ------
    ReadingProcessUnavailable
        The system starts no process.
    """

    def __init__(
        self, spec: PreprocessSpec, limits: ReadingLimits, options: ReadingOptions = AS_STORED
    ) -> None:
        self._spec = spec
        self._start = partial(ReadingProcess, spec, limits, options)
        self._process = self._start()
        # One thread: the process does one thing at a time.
        self._thread = ThreadPoolExecutor(1, "brixia-edge-reading")

    def memory_limited(self) -> bool:
        """Whether this system limits the memory of the reading process.

        Raises
        ------
        ReadingProcessUnavailable
            The process does not start.
        """
        return self._thread.submit(self._process.memory_limited).result()

    def prepared(self, path: str | Path) -> PreparedRadiograph:
        """Read and prepare one file in the reading process.

        Raises
        ------
        UnreadableImage, UnsupportedImage, ImageTooLarge
            The file cannot be scored, takes more than the limits, or crashes the process.
        ReadingProcessUnavailable
            The process does not start.
        """
        return self.begin(path).result()

    def begin(self, path: str | Path) -> "Future[PreparedRadiograph]":
        """Read and prepare one file after those that were begun before; see `prepared`."""
        return self._thread.submit(self._ask, Path(path))

    def prepared_many(
        self, paths: Iterable[str | Path]
    ) -> Iterator[PreparedRadiograph | UnscoredFile]:
        """Read and prepare files in their order, each while the caller has the one before."""
        ahead: tuple[Path, Future[PreparedRadiograph]] | None = None
        for path in map(Path, paths):
            current, ahead = ahead, (path, self.begin(path))
            if current is not None:
                yield _outcome(*current)
        if ahead is not None:
            yield _outcome(*ahead)

    def close(self) -> None:
        """End the process; a file that it is reading is given up."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._process.end()
        self._thread.shutdown()

    def _ask(self, path: Path) -> PreparedRadiograph:
        if not self._process.alive:
            self._process.end()
            self._process = self._start()
        answer = self._process.ask(path)
        try:
            return prepared_from(answer, path, self._spec)
        except BrokenMessage as error:
            # It was taken over: nothing that it says about the next files can be believed.
            self._process.end()
            raise UnreadableImage(
                "made the process that read it answer nonsense: it is crafted to do so. Have it "
                "examined for malware"
            ) from error


def _outcome(path: Path, asked: Future[PreparedRadiograph]) -> PreparedRadiograph | UnscoredFile:
    try:
        return asked.result()
    except CannotRun:
        raise
    except BrixiaEdgeError as error:
        return UnscoredFile(path, error)


@dataclass(frozen=True)
class ReadingMode:
    """How a scorer's files are read.

    Attributes
    ----------
    limits
        Read in a process of its own that keeps these limits; None reads in this process.
    options
        What may be chosen about reading, such as the window.
    """

    limits: ReadingLimits | None = None
    options: ReadingOptions = AS_STORED


IN_THIS_PROCESS = ReadingMode()
"""Without limits, and everything as the file says first."""

ISOLATED = ReadingMode(ReadingLimits())
"""In a process of its own within the limits that suit any radiograph."""


def open_source(spec: PreprocessSpec, reading: ReadingMode) -> RadiographSource:
    """Give an `IsolatedSource` that keeps the limits, or without any a `LocalSource`.

    Raises
    ------
    ReadingProcessUnavailable
        The system starts no process.
    """
    if reading.limits is None:
        return LocalSource(spec, reading.options)
    return IsolatedSource(spec, reading.limits, reading.options)
