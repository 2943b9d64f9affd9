"""Annotations find their image by name."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from brixia_edge.benchmarks.evaluation.matching import Matched, match_images
from brixia_edge.calibration.annotations.annotations import Annotation, AnnotationTable
from brixia_edge.calibration.annotations.forms import RadiologistScores
from brixia_edge.runtime.errors import AnnotationsError

ROOT = Path("images")
READING = RadiologistScores(np.ones(6, np.int64), np.ones(6))


def table(*files: str, reader: str = "S", sex: str = "F") -> AnnotationTable:
    annotations = tuple(Annotation(file, {reader: READING}, "p", {"sex": sex}) for file in files)
    return AnnotationTable("generic", (reader,), annotations, len(files))


def match(images: Sequence[str], *tables: AnnotationTable) -> Matched:
    return match_images(ROOT, [ROOT / name for name in images], tables)


@pytest.mark.parametrize(
    ("annotated", "image"),
    [
        ("a.png", "a.png"),
        ("a.png", "deep/er/a.png"),
        ("a", "a.png"),
        ("a.dcm", "x/a.png"),
        ("deep/a.png", "deep/a.png"),
        ("deep\\a.png", "deep/a.png"),
        ("1.2.840.17", "1.2.840.17.dcm"),
        ("1.2.840.17.dcm", "1.2.840.17"),
    ],
)
def test_names_match_in_any_folder_with_or_without_suffix(annotated: str, image: str) -> None:
    matched = match([image, "other.png"], table(annotated))
    assert [entry.name for entry in matched.images] == [image]
    assert matched.without_annotation == ("other.png",)
    assert matched.without_image == ()


@pytest.mark.parametrize(("annotated", "image"), [("1.2.840.17", "1.2.840.18.dcm"), ("a", "A")])
def test_other_names_do_not_match(annotated: str, image: str) -> None:
    matched = match([image, "b.png"], table(annotated, "b"))
    assert [(entry.file, entry.reason) for entry in matched.without_image] == [
        (annotated, "there is no such image")
    ]


def test_exact_names_go_first() -> None:
    matched = match(["a.png", "a.jpg"], table("a.jpg", "a.png", "a.dcm"))
    assert [entry.name for entry in matched.images] == ["a.jpg", "a.png"]
    assert [entry.file for entry in matched.without_image] == ["a.dcm"]


def test_a_name_that_could_be_two_images_is_neither() -> None:
    matched = match(["one/a.png", "two/a.png", "b.png"], table("a.png", "b.png"))
    assert [entry.name for entry in matched.images] == ["b.png"]
    (missing,) = matched.without_image
    assert missing.reason == "could be one/a.png or two/a.png"
    assert matched.without_annotation == ("one/a.png", "two/a.png")


def test_several_files_put_their_readers_side_by_side() -> None:
    matched = match(["a.png", "b.png"], table("a.png", "b.png"), table("a", reader="J", sex="M"))
    assert [set(entry.readings) for entry in matched.images] == [{"S", "J"}, {"S"}]
    assert matched.images[0].attributes == {"sex": "F"}


def test_two_files_with_one_readers_name_are_refused() -> None:
    with pytest.raises(AnnotationsError, match="have the reader S"):
        match(["a.png"], table("a.png"), table("a.png"))


def test_more_readers_than_can_be_compared_are_refused_at_once() -> None:
    readings = {f"study {number}": READING for number in range(20_000)}
    annotation = Annotation("a.png", readings)
    many = AnnotationTable("generic", tuple(readings), (annotation,), 20_000)
    with pytest.raises(AnnotationsError, match=r"have 20000 readers, such as study 0; at most 50"):
        match(["a.png"], many)
    with pytest.raises(AnnotationsError, match="have the reader study 0, study 1"):
        match(["a.png"], many, many)


def test_annotations_of_other_images_are_refused() -> None:
    with pytest.raises(AnnotationsError, match="none of 1 images in images has an annotation"):
        match(["a.png"], table("b.png"))
