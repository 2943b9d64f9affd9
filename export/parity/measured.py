"""Real radiographs on which networks are compared, prepared as the runtime prepares them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ...runtime.backends.onnxrt_session import open_network
from ...runtime.contract import IMAGE, PROBABILITIES
from ...runtime.errors import (
    CalibrationError,
    ImageTooLarge,
    UnreadableImage,
    UnsupportedImage,
)
from ...runtime.files import digest_file
from ...runtime.progress import Progress, unchanged
from ...runtime.sources.source import RadiographSource
from .score_parity import ScoreParity, compare_scores

Annotations = Mapping[str, NDArray[np.int64]]
"""A radiologist's zone scores, int64 ``[6]``, by file name."""


@dataclass(frozen=True)
class MeasuredImages:
    """Prepared radiographs.

    Attributes
    ----------
    images
        float32 ``[N, 1, 512, 512]``.
    annotations
        For each image the radiologist's zone scores, or None where there are none.
    digests
        SHA-256 of each image's file.
    """

    images: NDArray[np.float32]
    annotations: tuple[NDArray[np.int64] | None, ...]
    digests: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def some(self, indices: Sequence[int]) -> "MeasuredImages":
        """A part of the images, by position."""
        return MeasuredImages(
            self.images[list(indices)],
            tuple(self.annotations[index] for index in indices),
            tuple(self.digests[index] for index in indices),
        )


@dataclass(frozen=True)
class MeasuredReference:
    """The float32 network and what it gives for the measured images.

    Attributes
    ----------
    model
        Its ONNX file.
    measured
        The images.
    probabilities
        float32 ``[N, 6, 4]``.
    """

    model: bytes
    measured: MeasuredImages
    probabilities: NDArray[np.float32]

    def some(self, indices: Sequence[int]) -> "MeasuredReference":
        """The same for a part of the images, by position."""
        return MeasuredReference(
            self.model, self.measured.some(indices), self.probabilities[list(indices)]
        )

    def parity(self, probabilities: NDArray[np.float32]) -> ScoreParity:
        """What another network costs in scores, from what it gives for the same images."""
        return compare_scores(self.probabilities, probabilities, self.measured.annotations)


def prepare_images(
    files: Sequence[Path],
    source: RadiographSource,
    calibrated: Collection[str],
    annotations: Annotations,
    progress: Progress = unchanged,
) -> MeasuredImages:
    """Prepare the radiographs that calibration did not use; unreadable files are passed over.

    Parameters
    ----------
    files
        DICOM, PNG or JPEG files.
    source
        Reads and prepares them, as the bundle wants it.
    calibrated
        SHA-256 of the files that calibration used.
    annotations
        Zone scores by file name.
    progress
        Gets the files and passes them on.

    Raises
    ------
    CalibrationError
        No file is left.
    """
    images: dict[str, tuple[NDArray[np.float32], NDArray[np.int64] | None]] = {}
    for file in progress("Reading", files):
        try:
            digest = digest_file(file)
            if digest not in calibrated and digest not in images:
                image = source.prepared(file).image[0]
                images[digest] = image, annotations.get(file.name)
        except (UnreadableImage, UnsupportedImage, ImageTooLarge, OSError):
            continue
    if not images:
        raise CalibrationError(
            f"none of {len(files)} files is a radiograph that calibration did not use, so what "
            "the precision costs cannot be measured; give more with --images"
        )
    arrays, scores = zip(*images.values(), strict=True)
    return MeasuredImages(np.stack(arrays), tuple(scores), tuple(images))


def probabilities(
    model: bytes, images: Iterable[NDArray[np.float32]]
) -> Iterator[NDArray[np.float32]]:
    """Run a model over images on ONNX Runtime, one after the other.

    Parameters
    ----------
    model
        An ONNX file's content.
    images
        float32 ``[1, 512, 512]`` each.

    Yields
    ------
    float32 ``[6, 4]``

    Raises
    ------
    CalibrationError
        The model gives numbers that are not finite.
    """
    session = open_network(model)
    for image in images:
        given: NDArray[np.float32] = session.run([PROBABILITIES], {IMAGE: image[None]})[0][0]
        if not np.isfinite(given).all():
            raise CalibrationError(
                "the network gives probabilities that are not finite in this precision; calibrate "
                "on more images, or choose another precision"
            )
        yield given


def measure_scores(
    model: bytes,
    measured: MeasuredImages,
    progress: Progress = unchanged,
    known: Mapping[str, NDArray[np.float32]] | None = None,
) -> NDArray[np.float32]:
    """Give a model's probabilities for every image: float32 ``[N, 6, 4]``.

    Parameters
    ----------
    model
        An ONNX file's content.
    measured
        The images.
    progress
        Gets the images that are run, and passes them on.
    known
        What the model gave before, by the SHA-256 of the image's file; such images are not run.

    Raises
    ------
    CalibrationError
        As `probabilities`.
    """
    known = known or {}
    new = [index for index, digest in enumerate(measured.digests) if digest not in known]
    images = progress("Measuring scores", [measured.images[index] for index in new])
    found = dict(zip(new, probabilities(model, images), strict=True)) if new else {}
    return np.stack(
        [
            found[index] if index in found else known[digest]
            for index, digest in enumerate(measured.digests)
        ]
    )


def median_milliseconds(
    models: Mapping[str, bytes], image: NDArray[np.float32], rounds: int = 7
) -> dict[str, float]:
    """Median time of one image on ONNX Runtime, the models taking turns in every round."""
    sessions = {name: open_network(model) for name, model in models.items()}
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, session in sessions.items():
            started = perf_counter()
            session.run([PROBABILITIES], {IMAGE: image[None]})
            times[name].append((perf_counter() - started) * 1000)
    return {name: round(median(values[1:]), 1) for name, values in times.items()}
