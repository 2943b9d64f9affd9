"""The radiographs of a folder that a benchmark uses, prepared as a bundle's network wants them."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...runtime.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from ...runtime.files import digest_file
from ...runtime.preparation.preprocess import PreprocessSpec
from ...runtime.reading.inputs import find_inputs
from ...runtime.sources.isolated import IN_THIS_PROCESS, ReadingMode, open_source


@dataclass(frozen=True)
class NetworkInput:
    """A file and the network's input made from it, float32 ``[1, 1, 512, 512]``."""

    file: Path
    image: NDArray[np.float32]


def find_radiographs(folders: Iterable[Path]) -> list[Path]:
    """The DICOM, PNG and JPEG files of folders, searched as `brixia-edge score` does."""
    return list(find_inputs(map(str, folders), BytesIO()).files)


def split_by_digest(
    files: Iterable[Path], digests: Collection[str]
) -> tuple[list[Path], list[Path]]:
    """Files whose SHA-256 is among `digests`, and the others."""
    among: list[Path] = []
    others: list[Path] = []
    for file in files:
        (among if digest_file(file) in digests else others).append(file)
    return among, others


def prepare_radiographs(
    files: Iterable[Path], spec: PreprocessSpec, reading: ReadingMode = IN_THIS_PROCESS
) -> Iterator[NetworkInput]:
    """Read and prepare files one after the other; those that cannot be read are passed over.

    None is read ahead: reading would disturb what is timed meanwhile.

    Raises
    ------
    BackendUnavailable
        Limits were given for reading, and the reading process does not start.
    """
    with closing(open_source(spec, reading)) as source:
        for file in files:
            try:
                yield NetworkInput(file, source.prepared(file).image)
            except (UnreadableImage, UnsupportedImage, ImageTooLarge):
                continue
