"""Drift of what a node scores is watched against the histograms of the bundle in use."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.models.drift import DriftWatch
from brixia_edge.runtime.node.state.rows import Received, Result
from brixia_edge.runtime.quality.reference_histograms import (
    QUANTITIES,
    REFERENCE,
    QuantityHistogram,
    ReferenceHistograms,
)
from make_models import tiny_model


@pytest.fixture
def bundle(tmp_path: Path, tiny_manifest: Manifest) -> Bundle:
    """With histograms in which every quantity is as often below 0.5 as above."""
    reference = ReferenceHistograms(
        tiny_manifest.weights_sha256,
        tiny_manifest.preprocess.digest,
        tuple(f"{number:064x}" for number in range(100)),
        {name: QuantityHistogram((0.5,), (50, 50)) for name in QUANTITIES},
    )
    files = {"model.onnx": tiny_model(), REFERENCE: reference.to_json().encode()}
    return write_bundle(tmp_path / "watched", tiny_manifest, files)


@pytest.fixture
def observe(data: DataFolder, bundle: Bundle) -> Callable[[list[float]], None]:
    def add(values: list[float]) -> None:
        for value in values:
            number = data.store.views.counts().instances.get("scored", 0)
            uid = f"1.2.{number}"
            data.store.inbox.add(
                Received(uid, uid, "1.2.840", "1.2", 5, "XR1", "1.9", "", "", f"{uid}.dcm")
            )
            instance = data.store.inbox.next_to_score("received")
            assert instance is not None
            observed = json.dumps(dict.fromkeys(QUANTITIES, value))
            data.store.inbox.finish(instance.id, Result(bundle.digest, "{}", observed), [], [])

    return add


def test_images_as_the_bundle_knows_them_do_not_drift(
    data: DataFolder, bundle: Bundle, observe: Callable[[list[float]], None]
) -> None:
    watch = DriftWatch(data.store.views, lambda: bundle.root)
    observe([0.2, 0.8] * 14)
    assert watch.report() is None  # too few
    observe([0.2, 0.8] * 2)
    report = watch.report()
    assert report is not None
    assert report.verdict == "alike"


def test_images_of_another_kind_do(
    data: DataFolder, bundle: Bundle, observe: Callable[[list[float]], None]
) -> None:
    observe([0.8] * 40)
    report = DriftWatch(data.store.views, lambda: bundle.root).report()
    assert report is not None
    assert report.verdict == "different"


def test_another_bundle_in_use_begins_anew(
    data: DataFolder, bundle: Bundle, tiny_bundle: Bundle, observe: Callable[[list[float]], None]
) -> None:
    observe([0.8] * 40)
    current = [bundle.root]
    watch = DriftWatch(data.store.views, lambda: current[0])
    assert watch.report() is not None
    current[0] = tiny_bundle.root  # which has no histograms
    assert watch.report() is None
