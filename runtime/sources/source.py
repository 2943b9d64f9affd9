"""From a file to the network's input: in this process here, in another one in `isolated`."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import BrixiaEdgeError, ImageTooLarge
from ..preparation.preprocess import PreprocessSpec, preprocess
from ..radiograph import Radiograph
from ..reading.options import AS_STORED, ReadingOptions
from ..reading.read import read_radiograph
from ..results import UnscoredFile


@dataclass(frozen=True)
class PreparedRadiograph:
    """One file, ready for the network.

    Attributes
    ----------
    file
        As it was asked for.
    radiograph
        What it holds.
    image
        float32 ``[1, 1, size, size]``, 0 to 1: the network's input.
    read, prepare
        Wall-clock milliseconds that each step took, in the process that did it.
    """

    file: Path
    radiograph: Radiograph
    image: NDArray[np.float32]
    read: float
    prepare: float


class RadiographSource(Protocol):
    """Reads and prepares files."""

    def prepared(self, path: str | Path) -> PreparedRadiograph:
        """Read and prepare one file.

        Raises
        ------
        UnreadableImage, UnsupportedImage, ImageTooLarge
            The file cannot be scored.
        """
        ...

    def begin(self, path: str | Path) -> "Future[PreparedRadiograph]":
        """Read and prepare one file, where that can be, while the caller does something else."""
        ...

    def prepared_many(
        self, paths: Iterable[str | Path]
    ) -> Iterator[PreparedRadiograph | UnscoredFile]:
        """Read and prepare files in their order; one that fails gives its reason and no more."""
        ...

    def memory_limited(self) -> bool:
        """Whether the memory that reading may take is limited."""
        ...

    def close(self) -> None:
        """Release what reading needed."""
        ...


class LocalSource:
    """Reads and prepares in this process, with neither limits nor protection.

    Parameters
    ----------
    spec
        How the bundle wants its images prepared.
    options
        What may be chosen about reading.
    """

    def __init__(self, spec: PreprocessSpec, options: ReadingOptions = AS_STORED) -> None:
        self._spec = spec
        self._options = options

    def prepared(self, path: str | Path) -> PreparedRadiograph:
        """See `prepare_file`."""
        return prepare_file(Path(path), self._spec, self._options)

    def begin(self, path: str | Path) -> "Future[PreparedRadiograph]":
        """Read and prepare one file before this returns."""
        found: Future[PreparedRadiograph] = Future()
        try:
            found.set_result(self.prepared(path))
        except BrixiaEdgeError as error:
            found.set_exception(error)
        return found

    def prepared_many(
        self, paths: Iterable[str | Path]
    ) -> Iterator[PreparedRadiograph | UnscoredFile]:
        """Read and prepare each file when it is asked for."""
        for path in paths:
            try:
                prepared = self.prepared(path)
            except BrixiaEdgeError as error:
                yield UnscoredFile(Path(path), error)
            else:
                yield prepared

    def memory_limited(self) -> bool:
        """It is not."""
        return False

    def close(self) -> None:
        """Nothing is held."""


def prepare_file(
    path: Path, spec: PreprocessSpec, options: ReadingOptions = AS_STORED
) -> PreparedRadiograph:
    """Read a file and prepare it for the network.

    Raises
    ------
    UnreadableImage, UnsupportedImage, ImageTooLarge
        The file cannot be scored; the last also when the memory does not suffice.
    """
    started = perf_counter()
    try:
        radiograph = read_radiograph(path, options)
        read = perf_counter()
        image = preprocess(radiograph, spec)
    except MemoryError:
        raise ImageTooLarge(
            "needs more memory than it may have; give a smaller copy of the radiograph"
        ) from None
    prepared = perf_counter()
    return PreparedRadiograph(
        path, radiograph, image, read=(read - started) * 1000, prepare=(prepared - read) * 1000
    )
