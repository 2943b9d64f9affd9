"""A network from a stranger names no other file, and declares no more than it holds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from brixia_edge.runtime.backends import open_session
from brixia_edge.runtime.bundles.bundle import Bundle, shipped_bundle
from brixia_edge.runtime.bundles.engines import bundle_engines
from brixia_edge.runtime.bundles.manifest import MODEL, Manifest
from brixia_edge.runtime.bundles.network_file import check_network
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BundleError, EngineMismatch
from make_models import tiny_model
from onnx import TensorProto, helper

Change = Callable[[Any], object]
SECRET = "beside.bin"  # noqa: S105 - a file's name


def changed(change: Change) -> bytes:
    """The tiny network with something done to it."""
    model = onnx.ModelProto.FromString(tiny_model())
    change(model)
    return model.SerializeToString()


def initializer(model: Any, name: str) -> Any:
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def external(model: Any) -> None:
    """Keep the tensor that the scores hang on in a file beside."""
    tensor = initializer(model, "scores")
    tensor.ClearField("float_data")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", SECRET


def named_without_location(model: Any) -> None:
    entry = initializer(model, "scores").external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def in_an_attribute(model: Any) -> None:
    tensor = TensorProto(dims=[2], data_type=1, data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", SECRET
    model.graph.node.append(helper.make_node("Constant", [], ["read"], value=tensor))


def in_a_subgraph(model: Any) -> None:
    inner = helper.make_graph([], "inner", [], [])
    node = helper.make_node("If", ["one"], ["either"], then_branch=inner, else_branch=inner)
    model.graph.node.append(node)


def operator_that_reads_files(model: Any) -> None:
    node = helper.make_node("EPContext", ["image"], ["read"], domain="com.microsoft")
    node.attribute.append(helper.make_attribute("ep_cache_context", SECRET))
    model.graph.node.append(node)


def function(model: Any) -> None:
    imports = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "f", [], [], [], imports))


def sparse(model: Any) -> None:
    model.graph.sparse_initializer.add().dims.extend([10**6, 10**6])


def declared(*shape: int) -> Change:
    def declare(model: Any) -> None:
        tensor = initializer(model, "scores")
        del tensor.dims[:]
        tensor.dims.extend(shape)

    return declare


def texts(model: Any) -> None:
    model.graph.initializer.append(TensorProto(dims=[1], data_type=8, string_data=[b"x"], name="t"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (external, "holds data of another file"),
        (named_without_location, "holds data of another file"),
        (in_an_attribute, "holds data of another file"),
        (in_a_subgraph, "a graph within a node"),
        (operator_that_reads_files, "not ONNX's own, but of 'com.microsoft'"),
        (function, "functions of its own"),
        (sparse, "a sparse tensor"),
        (texts, "a tensor of texts"),
        (declared(10**6, 10**6), "declares 1000000000000 elements and holds 24"),
        (declared(-1, 24), "declares .* and holds 24"),
        (declared(5), "declares 5 elements and holds 24"),
        (declared(2**62, 4), "declares .* elements"),
    ],
)
def test_what_no_network_of_ours_holds_is_refused(change: Change, reason: str) -> None:
    with pytest.raises(BundleError, match=f"the file .*{reason}"):
        check_network(changed(change), "the file")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"\xff" * 20, b"<?xml version='1.0'?><net name='x'>", b"ORTM", b"\x3a\x00" * 2],
)
def test_what_is_no_onnx_file_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match=r"is no ONNX file|ends too early"):
        check_network(content, "the file")


def test_a_network_cut_short_anywhere_is_refused_or_lacks_a_last_field() -> None:
    content = tiny_model()
    refused = 0
    for end in range(1, len(content), 97):
        try:
            check_network(content[:end], "the file")
        except BundleError:
            refused += 1
    assert refused > len(range(1, len(content), 97)) - 3


def test_a_file_of_a_million_parts_is_refused_in_time() -> None:
    graph = b"\x0a\x00" * 1_000_001  # as many empty nodes
    with pytest.raises(BundleError, match="1,000,000 parts"):
        check_network(b"\x3a\x82\x89\x7a" + graph, "the file")


def test_networks_of_ours_are_taken() -> None:
    check_network(tiny_model(), "the file")
    check_network((shipped_bundle() / MODEL).read_bytes(), "the file")


def bundle_of(root: Path, manifest: Manifest, model: bytes) -> Path:
    return write_bundle(root, manifest, {MODEL: model}).root


def test_an_unlisted_file_of_weights_changes_no_score(
    tmp_path: Path,
    tiny_manifest: Manifest,
    chest_png: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = bundle_of(tmp_path / "stranger", tiny_manifest, changed(external))
    for folder in (root, tmp_path):  # beside the network, and in the working directory
        (folder / SECRET).write_bytes(np.zeros(24, np.float32).tobytes())
        monkeypatch.chdir(folder)
        assert main(["score", "--bundle", str(root), str(chest_png)]) == 3
        told = capsys.readouterr()
        assert ("holds data of another file" in told.err, told.out) == (True, "")


def named_otherwise(model: Any) -> None:
    model.graph.output[0].name = "other"


def five_scores(model: Any) -> None:
    five = np.tile(np.arange(5, dtype=np.float32), (1, 6, 1))
    initializer(model, "scores").CopyFrom(onnx.numpy_helper.from_array(five, "scores"))


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("change", [named_otherwise, five_scores])
def test_a_network_that_does_not_keep_its_manifest_is_an_error(
    backend: str, change: Change, tmp_path: Path, tiny_manifest: Manifest, chest_png: Path
) -> None:
    pytest.importorskip(backend)
    root = bundle_of(tmp_path / "stranger", tiny_manifest, changed(change))
    assert main(["score", "--bundle", str(root), "--backend", backend, str(chest_png)]) == 3


def test_outputs_of_another_shape_are_refused(tmp_path: Path, tiny_manifest: Manifest) -> None:
    root = bundle_of(tmp_path / "stranger", tiny_manifest, changed(five_scores))
    with (
        open_session(Bundle.open(root), "onnxruntime") as session,
        pytest.raises(BundleError, match=r"gave probabilities as float32 \(1, 6, 5\)"),
    ):
        session.run(np.zeros((1, 1, 512, 512), np.float32))


def test_an_engine_that_is_not_listed_is_not_loaded(bundle_for: Callable[..., Bundle]) -> None:
    bundle = bundle_for()
    (entries,) = bundle.manifest.engines
    (bundle.root / str(entries["file"])).rename(bundle.root / "engines" / "other.engine")
    files = {name: sha for name, sha in bundle.manifest.files.items() if ".engine" not in name}
    engines = ({**entries, "file": "engines/other.engine"},)
    manifest = replace(bundle.manifest, files=files, engines=engines)
    (bundle.root / "manifest.json").write_text(manifest.to_json())
    with pytest.raises(EngineMismatch, match=r"other\.engine and lists no such file"):
        bundle_engines(Bundle.open(bundle.root))
