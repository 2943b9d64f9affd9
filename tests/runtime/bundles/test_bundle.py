"""A bundle opens only when it is exactly what was written."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle, shipped_bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.network_file import LARGEST_NETWORK
from brixia_edge.runtime.errors import BundleError
from brixia_edge.runtime.files import digest


def edit_manifest(bundle: Bundle, **changes: Any) -> None:
    path = bundle.root / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_written_bundle_opens_as_it_was(tiny_bundle: Bundle) -> None:
    assert Bundle.open(tiny_bundle.root) == tiny_bundle
    assert tiny_bundle.identity.name == "tiny"


def test_a_light_bundle_says_that_it_is_light(
    tiny_bundle: Bundle, tiny_light_bundle: Bundle
) -> None:
    light = Bundle.open(tiny_light_bundle.root)
    assert light == tiny_light_bundle
    assert light.manifest.exact_weights_sha256 == tiny_bundle.manifest.weights_sha256
    assert (light.identity.variant, light.identity.kind) == ("light", "light, fp32")
    assert (tiny_bundle.identity.variant, tiny_bundle.identity.kind) == ("exact", "fp32")


def test_manifests_of_exact_networks_stay_as_they_are_written() -> None:
    """Their digests are in results and names of reports."""
    content = (shipped_bundle() / "manifest.json").read_bytes()
    assert b"exact" not in content
    assert Manifest.from_json(content).to_json().encode() == content


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


def image(**changes: object) -> dict[str, Any]:
    """A manifest's entry on the network's input, with something changed."""
    return {"inputs": {"image": {"dtype": "float32", "shape": ["N", 1, 512, 512], **changes}}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema_version": 2, "precision": 5}, "schema_version 2; allowed is 1, which this"),
        ({"precision": "fp8"}, "precision 'fp8'; allowed is fp32, fp16, int8"),
        ({"preprocess": {"recipe": "guess"}}, "recipe"),
        ({"surprise": 1}, "unknown entries surprise"),
        ({"preprocess": []}, r"preprocess \[\]; allowed is an object"),
        ({"max_batch": "16"}, "max_batch '16'; allowed is a whole number from 1 to 1024"),
        ({"max_batch": True}, "max_batch True"),
        ({"max_batch": 0}, "max_batch 0"),
        ({"max_batch": -4}, "max_batch -4"),
        ({"max_batch": 4.0}, "max_batch 4.0"),
        ({"max_batch": 10**4000}, r"max_batch 1000*\.\.\.; allowed"),
        ({"files": None, "engines": 0}, "files None; .* engines 0"),
        ({"inputs": {"image": 1}}, "inputs/image 1; allowed is an object"),
        ({"outputs": {}}, "lacks alignment, lung_mask, probabilities, zone_evidence in outputs"),
        ({"files": {}}, r"lacks model\.onnx in files"),
        ({"files": {"../x": "00", "model.onnx": "00"}}, r"the name '\.\./x' in files; allowed"),
        ({"files": {"/etc/passwd": "0" * 64, "model.onnx": "0" * 64}}, "name '/etc/passwd'"),
        ({"files": {"a\0b": "0" * 64, "model.onnx": "0" * 64}}, r"name 'a\\+x00b'"),
        ({"files": {"model.onnx": "0" * 64 + "\n"}}, "allowed is a SHA-256"),
        ({"name": "a\0b"}, "allowed is a text of at most 4000 characters without NUL"),
        ({"name": "a\ud800b"}, "allowed is a text"),
        ({"built_with": {"onnx": 1}}, "built_with/onnx 1; allowed is a text"),
        (image(shape=["N", 1, 10**6, 10**6]), "inputs/image/shape/2 1000000; allowed is 512"),
        (image(shape=["N", 1, -512, 512]), "inputs/image/shape/2 -512; allowed is 512"),
        (image(shape=["N", 1, 512]), "3 entries in inputs/image/shape; 4 are allowed"),
        (image(shape=["N", 1, 512, 512, 9]), "allowed is a list of N, 1, 512, 512"),
        (image(dtype="float64"), "inputs/image/dtype 'float64'; allowed is float32"),
        ({"exact_weights_sha256": "light"}, "exact_weights_sha256 'light'; allowed is a SHA-256"),
        ({"exact_weights_sha256": None}, "exact_weights_sha256 None; allowed is a SHA-256"),
        (
            {"exact_weights_sha256": "ab" * 32},
            "exact_weights_sha256 (ab){32}, which is its weights_sha256, too; allowed is another",
        ),
    ],
    ids=str,
)
def test_a_manifest_that_cannot_be_trusted_is_refused(
    tiny_bundle: Bundle, changes: dict[str, Any], reason: str
) -> None:
    edit_manifest(tiny_bundle, **changes)
    with pytest.raises(BundleError, match=reason):
        Bundle.open(tiny_bundle.root)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "\udcff", "[" * 100_000, f"[{'9' * 5000}]", '{"a": 1, "a": 2}', "[Infinity]"],
    ids=range(8),
)
def test_a_manifest_that_is_not_json_is_refused(tiny_bundle: Bundle, text: str) -> None:
    path = tiny_bundle.root / "manifest.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match=r"manifest\.json"):
        Bundle.open(tiny_bundle.root)


def test_a_file_outside_the_bundle_is_no_part_of_it(tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "far.txt").write_text("x")
    (tiny_bundle.root / "near.txt").symlink_to(tmp_path / "far.txt")
    files = {**tiny_bundle.manifest.files, "near.txt": digest(b"x")}
    edit_manifest(tiny_bundle, files=files)
    with pytest.raises(BundleError, match="lies outside the bundle"):
        Bundle.open(tiny_bundle.root)


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx", "parity.json"])
@pytest.mark.parametrize("make", ["pipe", "device", "folder"])
def test_what_is_no_regular_file_is_no_part_of_a_bundle(
    tiny_bundle: Bundle, name: str, make: str
) -> None:
    edit_manifest(tiny_bundle, files={**tiny_bundle.manifest.files, "parity.json": "0" * 64})
    path = tiny_bundle.root / name
    path.unlink(missing_ok=True)
    if make == "pipe":
        os.mkfifo(path)
    elif make == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        Bundle.open(tiny_bundle.root)


def test_a_file_that_is_too_long_is_not_read(tiny_bundle: Bundle) -> None:
    for name in ("model.onnx", "manifest.json"):
        with (tiny_bundle.root / name).open("r+b") as file:
            file.truncate(LARGEST_NETWORK + 1)
        with pytest.raises(BundleError, match="longer than"):
            Bundle.open(tiny_bundle.root)


def test_a_manifest_that_lacks_entries_lists_them(tiny_bundle: Bundle) -> None:
    (tiny_bundle.root / "manifest.json").write_text('{"schema_version": 1, "name": "x"}')
    with pytest.raises(BundleError, match=r"lacks .*licence.*weights_sha256"):
        Bundle.open(tiny_bundle.root)
