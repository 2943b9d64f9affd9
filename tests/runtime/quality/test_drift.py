"""Drift is told where there is some, and not where there is none."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from brixia_edge.calibration.reference_histograms import add_reference, histogram, make_reference
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.changes import add_files
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.errors import BundleError, CalibrationError
from brixia_edge.runtime.quality.drift import (
    ALIKE,
    DIFFERENT,
    QuantityDrift,
    compare_with_reference,
    population_stability_index,
    quantity_drift,
)
from brixia_edge.runtime.quality.reference_histograms import (
    QUANTITIES,
    REFERENCE,
    QuantityHistogram,
    ReferenceHistograms,
    observe,
    read_reference,
)
from brixia_edge.runtime.results import ScoredRadiograph
from brixia_edge.runtime.scorer import Scorer
from scipy import stats

Chests = Callable[..., list[Path]]


@pytest.fixture
def chests(tmp_path: Path, lenient_gate: None) -> Chests:
    """Draw chests of changing brightness and lungs, all different; `turned` inverts them."""

    def draw(name: str, count: int, seed: int, turned: bool = False) -> list[Path]:
        generator = np.random.default_rng(seed)
        folder = tmp_path / name
        folder.mkdir()
        files = [folder / f"{index}.png" for index in range(count)]
        for file in files:
            # The random tiles keep the pictures from being taken for copies of one another.
            tiles = cv2.resize(
                generator.uniform(0, 60, (9, 9)), (320, 320), interpolation=cv2.INTER_NEAREST
            )
            picture = generator.uniform(120, 170) + tiles + generator.uniform(0, 6, (320, 320))
            half, top = int(generator.integers(45, 60)), int(generator.integers(40, 70))
            for centre in (90, 230):
                picture[top:270, centre - half : centre + half] -= 90
            grey = picture.clip(0, 255).astype(np.uint8)
            file.write_bytes(cv2.imencode(".png", 255 - grey if turned else grey)[1].tobytes())
        return files

    return draw


def test_the_index_is_the_sum_by_hand() -> None:
    # Shares with half an image more in each bin: 10.5, 20.5 of 31 and 15.5, 5.5 of 21.
    new, known = np.array([10, 20]), np.array([15, 5])
    p, q = (10.5 / 31, 20.5 / 31), (15.5 / 21, 5.5 / 21)
    by_hand = sum((a - b) * np.log(a / b) for a, b in zip(p, q, strict=True))
    assert population_stability_index(new, known) == pytest.approx(by_hand)


def test_the_index_is_the_sum_of_both_relative_entropies() -> None:
    generator = np.random.default_rng(0)
    new, known = generator.integers(20, 90, (2, 7))
    p, q = (counts + 0.5 for counts in (new, known))
    expected = stats.entropy(p, q) + stats.entropy(q, p)
    assert population_stability_index(new, known) == pytest.approx(expected)


def test_an_empty_bin_leaves_the_index_finite() -> None:
    assert np.isfinite(population_stability_index(np.array([0, 30]), np.array([30, 0])))


def test_what_chance_adds_is_what_samples_of_one_population_have() -> None:
    generator = np.random.default_rng(3)
    drifts: list[QuantityDrift] = []
    for _ in range(1500):
        known = histogram(generator.normal(size=138).tolist())
        drifts.append(quantity_drift(known, generator.normal(size=40).tolist()))
    indices = np.array([drift.index for drift in drifts])
    assert indices.mean() == pytest.approx(drifts[0].by_chance, rel=0.15)
    assert np.mean(indices > drifts[0].chance_limit) < 0.025
    assert np.mean([drift.verdict == ALIKE for drift in drifts]) > 0.975


@pytest.mark.parametrize(("freedom", "percentile"), [(1, 6.635), (2, 9.210), (4, 13.277)])
def test_the_limit_of_chance_is_the_99th_percentile_of_chi_squared(
    freedom: int, percentile: float
) -> None:
    # The percentiles are those of every printed table.
    known = QuantityHistogram(tuple(map(float, range(freedom))), (50,) * (freedom + 1))
    values = (np.arange(100) % (freedom + 1) - 0.5).tolist()
    noise = 1 / 100 + 1 / (50 * (freedom + 1))
    limit = quantity_drift(known, values).chance_limit
    assert limit == pytest.approx(percentile * noise, rel=0.01)


def test_bands_are_those_in_use() -> None:
    verdicts = [QuantityDrift(index, 0.0, 0.0).verdict for index in (0.09, 0.11, 0.24, 0.26)]
    assert verdicts == ["alike", "somewhat different", "somewhat different", "different"]


def test_bins_hold_equally_many_and_ties_stay_together() -> None:
    even = histogram(list(range(100)))
    assert even.counts == (20,) * 5
    tied = histogram([0.0] * 60 + [1.0] * 30 + [2.0] * 10)
    assert sum(tied.counts) == 100
    assert set(tied.counts) <= {60, 30, 10, 40, 90}
    # A value on an edge belongs to the bin above, and none lies outside.
    assert even.count([-5, 20, 19.99, 500]).tolist() == [2, 1, 0, 0, 1]
    assert histogram([7.0] * 40) == QuantityHistogram((), (40,))


def test_radiographs_like_the_reference_are_alike_and_inverted_ones_different(
    tiny_bundle: Bundle, chests: Chests
) -> None:
    bundle = add_reference(tiny_bundle, chests("known", 60, seed=1))
    reference = read_reference(Bundle.open(bundle.root))
    assert reference is not None
    with Scorer(bundle, "onnxruntime") as scorer:

        def compare(files: list[Path]) -> str:
            scored = [scorer.score(file) for file in files]
            return compare_with_reference(reference, [observe(one) for one in scored]).verdict

        assert compare(chests("same", 40, seed=2)) == ALIKE
        assert compare(chests("turned", 40, seed=2, turned=True)) == DIFFERENT


def test_the_reference_counts_what_scoring_observes(tiny_bundle: Bundle, chests: Chests) -> None:
    files = chests("known", 30, seed=1)
    reference = make_reference(tiny_bundle, files)
    with Scorer(tiny_bundle, "onnxruntime") as scorer:
        observed = [observe(scorer.score(file)) for file in files]
    for name, counted in reference.quantities.items():
        assert counted == histogram([one[name] for one in observed])
    assert reference.quantities.keys() == QUANTITIES.keys()
    assert len(set(reference.images)) == 30


def test_observed_quantities_are_those_of_the_result(
    make_result: Callable[..., ScoredRadiograph],
) -> None:
    result = make_result()
    observed = observe(result)
    assert observed["brightness"] == pytest.approx(0.5, abs=1e-6)
    assert observed["lung_area"] == pytest.approx(2 * 300 * 140 / 512**2)
    assert observed["global_score"] == 9
    assert observed["expected_global"] == pytest.approx(
        sum(0.7 * s + 0.1 * (6 - s) for s in (0, 1, 2, 3, 2, 1)), rel=1e-6
    )


def test_too_few_radiographs_are_refused(tiny_bundle: Bundle, chests: Chests) -> None:
    with pytest.raises(CalibrationError, match=r"29 of 29 files.* need 30"):
        make_reference(tiny_bundle, chests("few", 29, seed=1))
    reference = _some_reference(tiny_bundle)
    with pytest.raises(CalibrationError, match="1 scored radiographs are too few"):
        compare_with_reference(reference, [dict.fromkeys(QUANTITIES, 0.5)])


def test_only_the_reference_and_the_manifest_change(tiny_bundle: Bundle) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in tiny_bundle.root.iterdir()}
    add_files(tiny_bundle, {REFERENCE: _some_reference(tiny_bundle).to_json().encode()})
    after = {file.name: file.stat().st_mtime_ns for file in tiny_bundle.root.iterdir()}
    changed = {name for name, time in after.items() if before.get(name) != time}
    assert changed == {REFERENCE, "manifest.json"}
    Bundle.open(tiny_bundle.root)


def test_a_reference_of_other_weights_is_refused(tiny_bundle: Bundle) -> None:
    other = replace(_some_reference(tiny_bundle), weights_sha256="cd" * 32)
    bundle = add_files(tiny_bundle, {REFERENCE: other.to_json().encode()})
    with pytest.raises(BundleError, match="other weights"):
        read_reference(bundle)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[]",
        "{}",
        '{"schema_version": 2}',
        '{"schema_version": 1, "weights_sha256": "a", "preprocess_digest": "b", "images": [],'
        ' "quantities": {"brightness": {"edges": [2, 1], "counts": [1, 1, 1]}}}',
        '{"schema_version": 1, "weights_sha256": "a", "preprocess_digest": "b", "images": [],'
        ' "quantities": {"brightness": {"edges": [1], "counts": [1]}}}',
    ],
)
def test_a_damaged_reference_is_a_bundle_error(text: str) -> None:
    with pytest.raises(BundleError, match=r"reference\.json "):
        ReferenceHistograms.from_json(text)


def _some_reference(bundle: Bundle) -> ReferenceHistograms:
    return ReferenceHistograms(
        bundle.manifest.weights_sha256,
        bundle.manifest.preprocess.digest,
        ("0" * 64,),
        dict.fromkeys(QUANTITIES, QuantityHistogram((0.5,), (20, 20))),
    )


def test_scoring_many_ends_with_a_line_on_drift(
    tiny_bundle: Bundle, chests: Chests, capsys: pytest.CaptureFixture[str]
) -> None:
    add_reference(tiny_bundle, chests("known", 40, seed=1))
    turned = chests("turned", 30, seed=2, turned=True)
    command = ["score", "--bundle", str(tiny_bundle.root), "--backend", "onnxruntime"]
    assert main([*command, str(turned[0].parent)]) == 0
    told = capsys.readouterr().err.splitlines()[-2]
    assert told.startswith("Drift: these 30 radiographs look different from the 40")
    assert main([*command, "--no-drift", str(turned[0].parent)]) == 0
    assert "Drift" not in capsys.readouterr().err
    assert main([*command, str(turned[0])]) == 0
    assert "Drift" not in capsys.readouterr().err
    assert main([*command, "--drift", str(turned[0])]) == 0
    assert "1 scored radiographs are too few" in capsys.readouterr().err


def test_a_bundle_without_reference_says_so_when_asked(
    tiny_bundle: Bundle, chest_png: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["score", "--bundle", str(tiny_bundle.root), "--backend", "onnxruntime"]
    assert main([*command, "--drift", str(chest_png)]) == 0
    assert "has no reference histograms" in capsys.readouterr().err
