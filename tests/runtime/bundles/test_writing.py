"""A bundle is written whole or not at all, over nothing but a bundle, and by one run at a time."""

import os
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.changes import add_files
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import bundle_target, bundle_to_change, write_bundle
from brixia_edge.runtime.errors import BundleError, OutputRefused
from brixia_edge.runtime.files import part_of


def test_a_bundle_is_replaced_only_on_request(tiny_bundle: Bundle) -> None:
    renamed = replace(tiny_bundle.manifest, name="other")
    files = {"model.onnx": tiny_bundle.model.read_bytes()}
    with pytest.raises(OutputRefused, match="already exists"):
        write_bundle(tiny_bundle.root, renamed, files)
    write_bundle(tiny_bundle.root, renamed, files, overwrite=True)
    assert Bundle.open(tiny_bundle.root).manifest.name == "other"


def test_nothing_but_a_bundle_is_ever_replaced(tmp_path: Path, tiny_manifest: Manifest) -> None:
    precious = tmp_path / "results"
    precious.mkdir()
    (precious / "paper.csv").write_text("1")
    with pytest.raises(OutputRefused, match="it is no bundle"):
        write_bundle(precious, tiny_manifest, {"model.onnx": b""}, overwrite=True)
    file = tmp_path / "file"
    file.write_text("1")
    with pytest.raises(OutputRefused, match="it is no bundle"):
        write_bundle(file, tiny_manifest, {"model.onnx": b""}, overwrite=True)
    assert (precious / "paper.csv").read_text() == "1"


def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, tiny_manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(BundleError, match="the disk is full"):
        write_bundle(tmp_path / "bundle", tiny_manifest, {"model.onnx": b"x"})
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_cannot_be_replaced_stays(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fail_for_the_new_one(self: Path, target: Path) -> Path:
        if self.name == "bundle":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    files = {"model.onnx": b"new"}
    with pytest.raises(BundleError, match="Input/output error"):
        write_bundle(tiny_bundle.root, tiny_bundle.manifest, files, overwrite=True)
    assert Bundle.open(tiny_bundle.root) == tiny_bundle


def test_files_that_are_not_the_bundle_s_are_never_lost(tiny_bundle: Bundle) -> None:
    weights = tiny_bundle.root / "deep" / "bscore-model.h5"
    weights.parent.mkdir()
    weights.write_bytes(b"weeks of training")
    with pytest.raises(OutputRefused, match=r"deep/bscore-model.h5, which no bundle lists"):
        write_bundle(tiny_bundle.root, tiny_bundle.manifest, {"model.onnx": b""}, overwrite=True)
    assert weights.read_bytes() == b"weeks of training"


def test_what_a_killed_run_left_in_a_bundle_does_not_keep_it(tiny_bundle: Bundle) -> None:
    part_of(tiny_bundle.model).write_bytes(b"half")
    files = {"model.onnx": b"new"}
    write_bundle(tiny_bundle.root, tiny_bundle.manifest, files, overwrite=True)
    assert tiny_bundle.model.read_bytes() == b"new"


def test_a_link_to_a_bundle_stays_one(tiny_bundle: Bundle, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(tiny_bundle.root)
    write_bundle(link, tiny_bundle.manifest, {"model.onnx": b"new"}, overwrite=True)
    assert link.is_symlink()
    assert tiny_bundle.model.read_bytes() == b"new"


def test_a_bundle_that_appears_meanwhile_is_kept(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, manifest = tmp_path / "new", tiny_bundle.manifest
    to_json = Manifest.to_json

    def another_run_is_faster(self: Manifest) -> str:
        monkeypatch.undo()
        write_bundle(target, manifest, {"model.onnx": b"first"})
        return to_json(self)

    monkeypatch.setattr(Manifest, "to_json", another_run_is_faster)
    with pytest.raises(OutputRefused, match="already exists"):
        write_bundle(target, manifest, {"model.onnx": b"second"})
    assert (target / "model.onnx").read_bytes() == b"first"


def refuse(context: AbstractContextManager[object]) -> None:
    with pytest.raises(OutputRefused, match="being written by another run"), context:
        pass


def test_two_exports_into_one_target_are_not_mixed(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "bundle"
    with bundle_target(target):
        refuse(bundle_target(target))
    assert not target.exists()


def test_two_changes_of_one_bundle_are_not_mixed(tiny_bundle: Bundle) -> None:
    with bundle_to_change(tiny_bundle.root) as bundle:
        refuse(bundle_to_change(tiny_bundle.root))
        add_files(bundle, {"notes.txt": b"1"})
    with bundle_to_change(tiny_bundle.root) as bundle:
        assert set(bundle.manifest.files) == {"model.onnx", "notes.txt"}


def test_what_is_no_bundle_is_not_changed(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"), bundle_to_change(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
