"""The table: what it keeps, and for whom it is refused."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.calibration.ranges.table import CalibrationTable, Range
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.errors import CalibrationError, OutputRefused
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec


@pytest.fixture
def table(tiny_manifest: Manifest) -> CalibrationTable:
    """A table for the tiny bundle, with a constant tensor."""
    return CalibrationTable(
        weights_sha256=tiny_manifest.weights_sha256,
        preprocess_digest=tiny_manifest.preprocess.digest,
        method="entropy",
        ranges={"a": Range(-1.5, 0.1), "b/c": Range(0.0, 1e-30), "still": Range(2.0, 2.0)},
        images=("0" * 64, "1" * 64),
        seed=7,
        built_with={"numpy": "2"},
        observed={"a": Range(-3.5, 0.1), "b/c": Range(0.0, 1.0), "still": Range(2.0, 2.0)},
    )


def test_a_table_is_read_as_it_was_written(table: CalibrationTable, tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.json"
    table.save(path)
    assert CalibrationTable.load(path) == table
    assert CalibrationTable.from_json(table.to_json()) == table
    assert [entry.name for entry in path.parent.iterdir()] == ["table.json"]
    lines = path.read_text().splitlines()
    assert sum('"range"' in line for line in lines) == 3


def test_a_table_without_tensors_is_still_json(table: CalibrationTable) -> None:
    bare = replace(table, ranges={}, observed={})
    assert CalibrationTable.from_json(bare.to_json()) == bare


def test_a_range_knows_its_magnitude() -> None:
    assert Range(-3.0, 1.0).magnitude == 3.0
    assert Range(0.5, 4.0).magnitude == 4.0
    for ends in [(1.0, 0.0), (float("nan"), 1.0), (0.0, float("inf"))]:
        with pytest.raises(CalibrationError, match="range is"):
            Range(*ends)


def test_a_table_is_for_its_network_and_preparation(
    table: CalibrationTable, tiny_manifest: Manifest
) -> None:
    table.check(tiny_manifest)
    with pytest.raises(CalibrationError, match=r"other weights.*calibrate again"):
        table.check(replace(tiny_manifest, weights_sha256="cd" * 32))
    with pytest.raises(CalibrationError, match=r"other image preparation.*calibrate again"):
        table.check(replace(tiny_manifest, preprocess=PreprocessSpec("clahe")))


def test_tensors_that_a_table_lacks_are_listed(table: CalibrationTable) -> None:
    table.require(["a", "b/c"])
    with pytest.raises(CalibrationError, match=r"lacks 2 tensors \(x, y\); calibrate again"):
        table.require(["a", "x", "y"])
    with pytest.raises(CalibrationError, match=r"lacks 20 tensors .* and 12 more"):
        table.require([f"t{number}" for number in range(20)])


def test_a_constant_tensor_has_no_scale(table: CalibrationTable) -> None:
    assert table.constants == ("still",)
    with pytest.raises(CalibrationError, match=r"constant in every.*\(still\)"):
        table.require(["a", "still"])


def remove(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda entries: entries.pop(name)


def put(**values: object) -> Callable[[dict[str, Any]], Any]:
    return lambda entries: entries.update(values)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("images"), "lacks images"),
        (put(patient="x"), "unknown entries patient"),
        (put(schema_version=2), "schema_version 2"),
        (put(method="median"), "allowed is entropy"),
        (put(images=["x"]), "images/0 'x'; allowed is a SHA-256"),
        (put(images=[3]), "images/0 3; allowed is a SHA-256"),
        (put(weights_sha256="short"), "weights_sha256 'short'"),
        (put(seed="0"), "seed '0'; allowed is a whole number"),
        (put(seed=True), "seed True; allowed is a whole number"),
        (put(seed=-1), "seed -1; allowed is a whole number"),
        (put(seed=10**4000), r"seed 1000*\.\.\."),
        (put(percentile=False), "percentile False; allowed is a number"),
        (put(percentile=100.5), "percentile 100.5; allowed is a number from 0 to 100"),
        (put(built_with={"onnx": 5}), "built_with/onnx 5; allowed is a text"),
        (put(built_with={"onnx": "\0"}), "without NUL"),
        (put(tensors=[]), r"tensors \[\]; allowed is an object"),
        (put(tensors={"t": {"range": [0, 1]}}), "lacks observed in tensors/t"),
        (put(tensors={"t": {"range": [0], "observed": [0, 1]}}), "1 entries in tensors/t/range"),
        (put(tensors={"t": {"range": [0, float("nan")], "observed": [0, 1]}}), "tensors/t/range/1"),
        (put(tensors={"t": {"range": [0, float("inf")], "observed": [0, 1]}}), "Infinity is no"),
        (put(tensors={"t": {"range": [0, 1e300], "observed": [0, 1]}}), "tensors/t/range/1"),
        (put(tensors={"t": {"range": [0, True], "observed": [0, 1]}}), "tensors/t/range/1 True"),
        (put(tensors={"t": {"range": [1, 0], "observed": [0, 1]}}), "tensor t .*lowest must come"),
        (put(tensors={"t": {"range": ["a", "b"], "observed": [0, 1]}}), "tensors/t/range/0 'a'"),
        (put(tensors={"t": 5}), "tensors/t 5; allowed is an object"),
    ],
)
def test_a_damaged_table_is_refused(
    table: CalibrationTable,
    damage: Callable[[dict[str, Any]], Any],
    message: str,
    tmp_path: Path,
) -> None:
    entries = json.loads(table.to_json())
    damage(entries)
    path = tmp_path / "table.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(CalibrationError, match=message) as caught:
        CalibrationTable.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_table_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(content)
    with pytest.raises(CalibrationError, match=r"table\.json"):
        CalibrationTable.load(path)


def test_a_table_that_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "table.json")
    for path in (tmp_path / "table.json", Path("/dev/zero"), tmp_path):
        with pytest.raises(CalibrationError, match=r"cannot be read: .*(regular file|directory)"):
            CalibrationTable.load(path)


def test_nothing_is_replaced_or_half_written(table: CalibrationTable, tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text("mine")
    with pytest.raises(OutputRefused, match="already exists; give --overwrite"):
        table.save(path)
    assert path.read_text() == "mine"
    table.save(path, overwrite=True)
    assert CalibrationTable.load(path) == table
    with pytest.raises(OutputRefused, match="is a folder"):
        table.save(tmp_path, overwrite=True)
    with pytest.raises(CalibrationError, match="cannot be written"):
        table.save(path / "below.json")
    with pytest.raises(CalibrationError, match="cannot be read"):
        CalibrationTable.load(tmp_path / "absent.json")
