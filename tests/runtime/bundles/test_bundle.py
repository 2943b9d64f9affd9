"""A bundle opens only when it is exactly what was written."""

import json
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle, shipped_bundle
from brixia_edge.runtime.errors import BundleError


def edit_manifest(bundle: Bundle, **changes: Any) -> None:
    path = bundle.root / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_written_bundle_opens_as_it_was(tiny_bundle: Bundle) -> None:
    assert Bundle.open(tiny_bundle.root) == tiny_bundle
    assert tiny_bundle.identity.name == "tiny"


def test_the_shipped_bundle_is_whole_and_says_research_use() -> None:
    bundle = Bundle.open()
    assert bundle.root == shipped_bundle()
    assert "Research use only" in bundle.manifest.intended_use
    assert bundle.manifest.licence == "CC BY-NC-SA 4.0"
    card = (bundle.root / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Not for diagnosis" in card
    assert "CC BY-NC-SA 4.0" in (bundle.root / "LICENSE-WEIGHTS").read_text(encoding="utf-8")


def test_the_shipped_bundle_holds_the_weights_of_its_card(shared: Any) -> None:
    weights = pytest.importorskip("brixia_edge.export.network.weights")
    store = weights.load_weights(shared("bsnet-cohen/bscore-model.h5"))
    assert Bundle.open().manifest.weights_sha256 == store.digest


def test_one_flipped_bit_is_found_and_named(tiny_bundle: Bundle) -> None:
    data = bytearray(tiny_bundle.model.read_bytes())
    data[len(data) // 2] ^= 1
    tiny_bundle.model.write_bytes(data)
    with pytest.raises(BundleError, match=r"model\.onnx was altered"):
        Bundle.open(tiny_bundle.root)


def test_a_missing_file_is_named(tiny_bundle: Bundle) -> None:
    tiny_bundle.model.unlink()
    with pytest.raises(BundleError, match=r"model\.onnx cannot be read"):
        Bundle.open(tiny_bundle.root)


@pytest.mark.parametrize("make", ["absent", "empty folder", "file"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, make: str) -> None:
    path = tmp_path / "thing"
    if make == "empty folder":
        path.mkdir()
    if make == "file":
        path.write_text("{}")
    with pytest.raises(BundleError, match="is not a bundle"):
        Bundle.open(path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema_version": 2}, "schema_version 2"),
        ({"precision": "fp8"}, "precision 'fp8'; allowed are fp32, fp16, int8"),
        ({"preprocess": {"recipe": "guess"}}, "recipe"),
        ({"surprise": 1}, "unknown entries surprise"),
        ({"preprocess": []}, "wrong kind for preprocess"),
        ({"max_batch": "16"}, "wrong kind for max_batch"),
        ({"files": None, "engines": 0}, "wrong kind for files, engines"),
        ({"inputs": {"image": 1}}, "wrong kind for image"),
        ({"outputs": {}}, "lacks the outputs probabilities, lung_mask, alignment, zone_evidence"),
        ({"files": {}}, r"lists no model\.onnx"),
        ({"files": {"../model.onnx": "00", "model.onnx": "00"}}, "outside the bundle"),
    ],
    ids=str,
)
def test_a_manifest_that_cannot_be_trusted_is_refused(
    tiny_bundle: Bundle, changes: dict[str, Any], reason: str
) -> None:
    edit_manifest(tiny_bundle, **changes)
    with pytest.raises(BundleError, match=reason):
        Bundle.open(tiny_bundle.root)


@pytest.mark.parametrize("text", ["", "[]", "{", "\udcff", "[" * 100_000])
def test_a_manifest_that_is_not_json_is_refused(tiny_bundle: Bundle, text: str) -> None:
    path = tiny_bundle.root / "manifest.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match=r"manifest\.json"):
        Bundle.open(tiny_bundle.root)


def test_a_manifest_that_lacks_entries_lists_them(tiny_bundle: Bundle) -> None:
    (tiny_bundle.root / "manifest.json").write_text('{"schema_version": 1, "name": "x"}')
    with pytest.raises(BundleError, match=r"lacks .*licence.*weights_sha256"):
        Bundle.open(tiny_bundle.root)
