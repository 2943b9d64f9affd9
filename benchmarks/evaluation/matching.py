"""Which image an annotation is about: files match by name, with or without suffix."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ...calibration.annotations.annotations import Annotation, AnnotationTable, RadiologistScores
from ...calibration.annotations.forms import shortened
from ...runtime.errors import AnnotationsError
from .results import WithoutImage

MOST_READERS = 50
"""Every one is compared with every other, in thousands of resamples."""

_NAMED = 5
_SUFFIXES = (".dcm", ".dicom", ".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class AnnotatedImage:
    """An image and all that the annotations say of it.

    Attributes
    ----------
    path
        The file.
    name
        Its path relative to the folder of images, with ``/``.
    readings
        By reader.
    patient
        Tells patients apart; it must leave the program in no form.
    attributes
        What images can be grouped by.
    """

    path: Path
    name: str
    readings: Mapping[str, RadiologistScores]
    patient: str | None
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Matched:
    """Images with annotations, and what has no counterpart.

    Attributes
    ----------
    images
        Sorted by name.
    without_annotation
        Names of images that no annotation is about.
    without_image
        Annotated files that match no image, or more than one.
    """

    images: tuple[AnnotatedImage, ...]
    without_annotation: tuple[str, ...]
    without_image: tuple[WithoutImage, ...]


def match_images(root: Path, files: Iterable[Path], tables: Sequence[AnnotationTable]) -> Matched:
    """Find the image of every annotation.

    An annotation's file name is looked for as a path relative to `root`, then as a file's name in
    any folder, then without its suffix.

    Parameters
    ----------
    root
        The folder of images.
    files
        The image files in it.
    tables
        Annotations; those of several tables on one image are joined.

    Raises
    ------
    AnnotationsError
        Two tables call a reader alike, no annotation has an image, or the images have more readers
        than can be compared.
    """
    _check_readers(tables)
    paths = {path.relative_to(root).as_posix(): path for path in files}
    found: dict[str, _Gathered] = {}
    missing: dict[WithoutImage, None] = {}
    for table in tables:
        for annotation, name, reason in _assign(tuple(paths), table.annotations):
            if name is None:
                missing.setdefault(WithoutImage(annotation.file, reason))
            else:
                found.setdefault(name, _Gathered()).add(annotation)
    if not found:
        raise AnnotationsError(
            f"none of {len(paths)} images in {root} has an annotation; the annotations name files "
            f"such as {tables[0].annotations[0].file}"
        )
    images = tuple(found[name].image(paths[name], name) for name in sorted(found))
    _check_number({reader for image in images for reader in image.readings})
    return Matched(images, tuple(sorted(paths.keys() - found.keys())), tuple(missing))


def _check_readers(tables: Sequence[AnnotationTable]) -> None:
    readers = Counter(reader for table in tables for reader in table.readers)
    if doubled := sorted(name for name, count in readers.items() if count > 1):
        named = ", ".join(map(shortened, doubled[:_NAMED]))
        raise AnnotationsError(
            f"two annotations files have the reader {named}; give them other names "
            "in the column reader, or in the columns' prefix"
        )


def _check_number(readers: Collection[str]) -> None:
    if len(readers) > MOST_READERS:
        raise AnnotationsError(
            f"the annotations have {len(readers)} readers, such as {shortened(min(readers))}; at "
            f"most {MOST_READERS} are compared. Does the column reader hold readers?"
        )


@dataclass
class _Gathered:
    """What several tables say of one image; what an earlier one says of it stands."""

    readings: dict[str, RadiologistScores] = field(default_factory=dict[str, RadiologistScores])
    patient: str | None = None
    attributes: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, annotation: Annotation) -> None:
        self.readings.update(annotation.readings)
        self.patient = self.patient or annotation.patient
        self.attributes = {**annotation.attributes, **self.attributes}

    def image(self, path: Path, name: str) -> AnnotatedImage:
        return AnnotatedImage(path, name, self.readings, self.patient, self.attributes)


def _assign(
    names: Sequence[str], annotations: Sequence[Annotation]
) -> Iterator[tuple[Annotation, str | None, str]]:
    """Give each annotation's image, or None and the reason; an image is given once.

    Exact names go first, so that ``a.png`` and ``a.jpg`` are kept apart where both exist.
    """
    left = list(annotations)
    taken: set[str] = set()
    for key in (_whole_path, _file_name, _without_suffix):
        images: dict[str, list[str]] = {}
        for name in names:
            if name not in taken:
                images.setdefault(key(name), []).append(name)
        remaining: list[Annotation] = []
        for annotation in left:
            candidates = images.pop(key(annotation.file), [])
            if len(candidates) == 1:
                taken.add(candidates[0])
                yield annotation, candidates[0], ""
            elif candidates:
                yield annotation, None, f"could be {' or '.join(candidates)}"
            else:
                remaining.append(annotation)
        left = remaining
    yield from ((annotation, None, "there is no such image") for annotation in left)


def _whole_path(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).as_posix()


def _file_name(name: str) -> str:
    return PurePosixPath(_whole_path(name)).name


def _without_suffix(name: str) -> str:
    """Only an image's suffix goes: a UID has dots of its own."""
    name = _file_name(name)
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in _SUFFIXES else name
