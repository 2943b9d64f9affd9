"""A whole evaluation: the real one recomputed by others, and its parts on made-up bundles."""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brixia_edge.benchmarks.evaluation.cases import CASES
from brixia_edge.benchmarks.evaluation.description import time_statistics
from brixia_edge.benchmarks.evaluation.evaluate import (
    Sources,
    evaluate,
    gather_sources,
)
from brixia_edge.benchmarks.evaluation.options import EvaluationOptions
from brixia_edge.benchmarks.evaluation.report.json_form import to_json
from brixia_edge.benchmarks.evaluation.results import (
    EXPECTED,
    READER,
    SCORE,
    Evaluation,
    RaterComparison,
)
from brixia_edge.benchmarks.evaluation.scoring import BundleRun, Scored, label_bundles
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.errors import AnnotationsError, UnreadableImage
from brixia_edge.runtime.quality.reference_histograms import QUANTITIES
from brixia_edge.runtime.results import Timing, UnscoredFile
from make_models import calibration_table, tiny_model
from numpy.typing import NDArray

metrics: Any = pytest.importorskip("sklearn.metrics")
stats: Any = pytest.importorskip("scipy.stats")
pandas: Any = pytest.importorskip("pandas")

ByName = Mapping[str, NDArray[np.float32]]
OPTIONS = EvaluationOptions(resamples=200, seed=1)


def run_of(label: str, bundle: Bundle, sources: Sources, probabilities: ByName) -> BundleRun:
    """A bundle's run that gives known probabilities for each file's name."""
    observed = dict.fromkeys(QUANTITIES, 0.5)
    scored = {
        image.path: Scored(probabilities[image.path.name], Timing(1, 2, 3, 6), (), observed)
        for image in sources.matched.images
    }
    return BundleRun(label, bundle, "onnxruntime", scored, {})


def pick(evaluation: Evaluation, rater: str, kind: str, reference: str) -> RaterComparison:
    (found,) = (
        entry
        for entry in evaluation.comparisons
        if (entry.rater, entry.kind, entry.reference) == (rater, kind, reference)
    )
    return found


@pytest.fixture(scope="module")
def real(shared: Callable[[str], Path], reference_probabilities: ByName) -> Evaluation:
    """The original network's probabilities for the shared images, twice: the second perturbed."""
    sources = gather_sources(shared("cohen/images"), [shared("cohen/annotations.csv")])
    generator = np.random.default_rng(0)
    noisy = {
        name: (values * np.exp(0.1 * generator.standard_normal((6, 4)))).astype(np.float32)
        for name, values in reference_probabilities.items()
    }
    perturbed = {name: values / values.sum(axis=1, keepdims=True) for name, values in noisy.items()}
    bundle = Bundle.open()
    runs = [
        run_of("fp32", bundle, sources, reference_probabilities),
        run_of("other", bundle, sources, perturbed),
    ]
    return evaluate(sources, runs, OPTIONS)


def test_the_model_cards_figures_come_out(real: Evaluation) -> None:
    score = pick(real, "fp32", SCORE, "S").agreement
    expected = pick(real, "fp32", EXPECTED, "S").agreement
    assert score.images == 138
    assert score.zones["mean"]["mae"].value == pytest.approx(0.582, abs=5e-4)
    assert expected.zones["mean"]["mae"].value == pytest.approx(0.574, abs=5e-4)
    assert score.global_score["mae"].value == pytest.approx(2.65, abs=5e-3)
    assert expected.global_score["mae"].value == pytest.approx(2.23, abs=5e-3)
    assert expected.global_score["pearson"].value == pytest.approx(0.81, abs=5e-3)
    zones = [score.zones[zone]["mae"].value for zone in "ABCDEF"]
    assert zones == pytest.approx([0.54, 0.58, 0.64, 0.45, 0.61, 0.68], abs=5e-3)


def test_the_real_figures_are_those_of_known_libraries(
    real: Evaluation, shared: Callable[[str], Path], reference_probabilities: ByName
) -> None:
    table = pandas.read_csv(shared("cohen/annotations.csv"), encoding="utf-8-sig")
    readers = {name: table[[f"{name}-{zone}" for zone in "ABCDEF"]].to_numpy() for name in "SJ"}
    network = np.stack([reference_probabilities[name] for name in table["filename"]])
    scores = network.argmax(axis=2)
    raters = {("fp32", SCORE, "S"): scores, ("fp32", SCORE, "J"): scores}
    raters["J", READER, "S"] = readers["J"]
    for (name, kind, reference), given in raters.items():
        found, truth = pick(real, name, kind, reference), readers[reference]
        pooled, whole = found.agreement.zones["pooled"], found.agreement.global_score
        flat = truth.ravel(), given.ravel()
        sums = truth.sum(axis=1), given.sum(axis=1)
        assert pooled["mae"].value == pytest.approx(metrics.mean_absolute_error(*flat))
        assert pooled["accuracy"].value == pytest.approx(metrics.accuracy_score(*flat))
        for weights in ("linear", "quadratic"):
            kappa = metrics.cohen_kappa_score(*flat, weights=weights)
            assert pooled[f"{weights}_kappa"].value == pytest.approx(kappa)
        assert whole["mae"].value == pytest.approx(metrics.mean_absolute_error(*sums))
        assert whole["pearson"].value == pytest.approx(stats.pearsonr(*sums).statistic)
        assert whole["spearman"].value == pytest.approx(stats.spearmanr(*sums).statistic)
        for triage in found.triage:
            area = metrics.roc_auc_score(sums[0] >= triage.threshold, sums[1])
            assert triage.area.value == pytest.approx(area)
        matrix = metrics.confusion_matrix(*sums, labels=list(range(19)))
        assert np.array(found.confusion["global"].counts).tolist() == matrix.tolist()
    # Of all 192 images the junior is off by 0.407 a zone and 1.94 in sum; of these 138 by as much.
    junior = pick(real, "J", READER, "S").agreement
    assert junior.zones["mean"]["mae"].value == pytest.approx(0.407, abs=0.05)
    assert junior.global_score["mae"].value == pytest.approx(1.94, abs=0.25)


def test_differences_are_paired(real: Evaluation) -> None:
    names = [image.file for image in real.images]
    assert len(names) == 138
    errors = {
        label: np.array(
            [
                abs(sum(image.bundles[label].score) - sum(image.readers["S"]))
                for image in real.images
            ]
        )
        for label in ("fp32", "other")
    }
    (found,) = (
        entry for entry in real.differences if (entry.kind, entry.reference) == (SCORE, "S")
    )
    assert (found.bundle, found.baseline) == ("other", "fp32")
    difference = found.agreement.global_score["mae"]
    paired = errors["other"] - errors["fp32"]
    assert difference.value == pytest.approx(paired.mean())
    expected = stats.bootstrap(
        (paired,), np.mean, n_resamples=5000, method="percentile", random_state=3
    ).confidence_interval
    width = expected.high - expected.low
    assert difference.low == pytest.approx(expected.low, abs=0.15 * width)
    assert difference.high == pytest.approx(expected.high, abs=0.15 * width)
    # Far narrower than what two independent sets of images would allow.
    alone = pick(real, "fp32", SCORE, "S").agreement.global_score["mae"]
    assert alone.high is not None
    assert alone.low is not None
    assert width < (alone.high - alone.low) / 2


def test_cases_are_the_largest_and_smallest_errors(real: Evaluation) -> None:
    errors = {
        image.file: abs(sum(image.bundles["fp32"].score) - sum(image.readers["S"]))
        for image in real.images
    }
    bundle, ordered = real.bundles[0], sorted(errors.values())
    assert [case.global_error for case in bundle.worst] == ordered[-CASES:][::-1]
    assert [case.global_error for case in bundle.best] == ordered[:CASES]
    for case in (*bundle.worst, *bundle.best):
        assert errors[case.file] == case.global_error
        assert sum(case.reference) - sum(case.score) in (case.global_error, -case.global_error)


@pytest.fixture
def folder(tmp_path: Path, chest_png: Path) -> Path:
    """Twelve images, two of each of six patients, one of whom has no patient's number."""
    root = tmp_path / "images"
    root.mkdir()
    for index in range(12):
        (root / f"{index:02}.png").write_bytes(chest_png.read_bytes() + bytes([index]))
    return root


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Annotations of them, with a second reader for the first ten."""
    lines = ["filename,reader,A,B,C,D,E,F,patient,sex,modality,age"]
    generator = np.random.default_rng(2)
    for index in range(12):
        patient = "" if index > 9 else f"patient-{index // 2}"
        about = f"{patient},{'FM'[index % 2]},{'CR' if index < 6 else 'DX'},{40 + 3 * index}"
        for reader in ("one", "two")[: 1 if index > 9 else 2]:
            scores = ",".join(map(str, generator.integers(0, 4, 6)))
            lines.append(f"{index:02}.png,{reader},{scores},{about}")
    path = tmp_path / "annotations.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def sources(folder: Path, table: Path) -> Sources:
    return gather_sources(folder, [table])


def made_up(sources: Sources, seed: int) -> ByName:
    generator = np.random.default_rng(seed)
    names = [image.path.name for image in sources.matched.images]
    return {name: generator.dirichlet(np.ones(4), 6).astype(np.float32) for name in names}


Evaluate = Callable[[Sequence[int]], Evaluation]


@pytest.fixture
def evaluated(sources: Sources, tiny_bundle: Bundle) -> Evaluate:
    """Evaluate bundles that give random probabilities, one for each seed."""

    def run(seeds: Sequence[int]) -> Evaluation:
        runs = [
            run_of(f"bundle {number}", tiny_bundle, sources, made_up(sources, seed))
            for number, seed in enumerate(seeds)
        ]
        return evaluate(sources, runs, OPTIONS)

    return run


def test_every_bundle_stands_beside_every_reader_and_readers_beside_each_other(
    evaluated: Evaluate,
) -> None:
    evaluation = evaluated([0, 1])
    found = [(entry.rater, entry.kind, entry.reference) for entry in evaluation.comparisons]
    expected = [
        (f"bundle {number}", kind, reader)
        for number in (0, 1)
        for kind in (SCORE, EXPECTED)
        for reader in ("one", "two")
    ]
    assert found == [*expected, ("two", READER, "one")]
    assert pick(evaluation, "two", READER, "one").agreement.images == 10
    assert pick(evaluation, "bundle 1", SCORE, "one").agreement.images == 12


def test_intervals_are_by_patient_where_there_is_one(evaluated: Evaluate) -> None:
    evaluation = evaluated([0])
    assert evaluation.settings.resampled == "patients"
    assert evaluation.image_set.patients == 5
    assert pick(evaluation, "two", READER, "one").agreement.patients == 5


def test_groups_are_parts_of_the_images(evaluated: Evaluate) -> None:
    comparison = pick(evaluated([0]), "bundle 0", SCORE, "one")
    counts = {(group.attribute, group.value): group.agreement.images for group in comparison.groups}
    assert counts == {
        ("age group", "18-49"): 4,
        ("age group", "50-64"): 5,
        ("age group", "65-79"): 3,
        ("modality", "CR"): 6,
        ("modality", "DX"): 6,
        ("sex", "F"): 6,
        ("sex", "M"): 6,
    }
    by_sex = [group for group in comparison.groups if group.attribute == "sex"]
    errors = [group.agreement.zones["pooled"]["mae"].value for group in by_sex]
    assert None not in errors
    mean = comparison.agreement.zones["pooled"]["mae"].value
    assert np.mean([error for error in errors if error is not None]) == pytest.approx(mean)


def test_equal_bundles_do_not_differ(evaluated: Evaluate) -> None:
    evaluation = evaluated([0, 0])
    for difference in evaluation.differences:
        for figure in difference.agreement.global_score.values():
            # Each bundle's sums are its own: a matrix library may round them by where they lie.
            assert (figure.value, figure.low, figure.high) == pytest.approx((0, 0, 0), abs=1e-9)
    (change,) = evaluation.changes
    assert change.same_zone_score.value == 1
    assert change.largest_expected_global == pytest.approx(0, abs=1e-9)


def test_images_that_a_bundle_cannot_score_are_told_and_left_out(
    sources: Sources, tiny_bundle: Bundle
) -> None:
    whole = run_of("whole", tiny_bundle, sources, made_up(sources, 0))
    first, *others = whole.scored
    part = BundleRun(
        "part",
        tiny_bundle,
        "onnxruntime",
        {path: whole.scored[path] for path in others},
        {first: UnreadableImage("is empty")},
    )
    evaluation = evaluate(sources, [whole, part], OPTIONS)
    assert evaluation.image_set.evaluated == 11
    (unscored,) = evaluation.image_set.unscored
    assert (unscored.file, unscored.type) == ("00.png", "UnreadableImage")
    assert {entry.agreement.images for entry in evaluation.comparisons} == {11, 9}


def test_a_folder_that_cannot_be_searched_is_told(
    sources: Sources, tiny_bundle: Bundle, folder: Path
) -> None:
    locked = UnscoredFile(folder / "locked", UnreadableImage("is a folder that cannot be searched"))
    partly = replace(sources, inputs=replace(sources.inputs, failures=(locked,)))
    run = run_of("fp32", tiny_bundle, partly, made_up(partly, 0))
    evaluation = evaluate(partly, [run], OPTIONS)
    assert [entry.file for entry in evaluation.image_set.unscored] == ["locked"]
    assert evaluation.image_set.evaluated == 12


def test_without_any_score_the_reason_is_told(sources: Sources, tiny_bundle: Bundle) -> None:
    failed = {image.path: UnreadableImage("is empty") for image in sources.matched.images}
    run = BundleRun("none", tiny_bundle, "onnxruntime", {}, dict(failed))
    with pytest.raises(AnnotationsError, match=r"none of 12 annotated images .* is empty"):
        evaluate(sources, [run], OPTIONS)


def test_a_consensus_is_met_by_its_means_and_classified_by_its_modes(
    folder: Path, tmp_path: Path, tiny_bundle: Bundle
) -> None:
    zones = "ABCDEF"
    header = [*(f"Mean{zone}" for zone in zones), *(f"Mode{zone}" for zone in zones)]
    row = ["0.4", "1.2", "2", "2.6", "3", "0", "0", "1", "2", "3", "3", "0"]
    path = tmp_path / "consensus.csv"
    path.write_text(f"filename,{','.join(header)}\n00.png,{','.join(row)}\n", encoding="utf-8")
    sources = gather_sources(folder, [path])
    certain = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 3, 0]]
    run = run_of("bundle", tiny_bundle, sources, {"00.png": certain})
    found = pick(evaluate(sources, [run], OPTIONS), "bundle", SCORE, "consensus").agreement
    errors = [0.4, 0.2, 0, 0.4, 0, 0]
    assert [found.zones[zone]["mae"].value for zone in zones] == pytest.approx(errors)
    assert found.zones["pooled"]["accuracy"].value == 1
    assert found.global_score["bias"].value == pytest.approx(9 - 9.2)


def test_the_json_is_strict_and_holds_no_patient(evaluated: Evaluate) -> None:
    text = to_json(evaluated([0, 1]))
    entry = json.loads(text, parse_constant=pytest.fail)
    assert entry["schema_version"] == 1
    assert entry["notice"] == "RESEARCH USE ONLY - not for diagnostic use"
    assert "patient-" not in text
    assert len(entry["images"]) == 12
    assert np.shape(entry["images"][0]["bundles"]["bundle 1"]["probabilities"]) == (6, 4)


def test_the_digest_is_that_of_sha256sum(evaluated: Evaluate, folder: Path) -> None:
    command = "LC_ALL=C sha256sum * | sha256sum"
    done = subprocess.run(
        ["bash", "-c", command],  # noqa: S607 - any bash
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert evaluated([0]).image_set.sha256 == done.stdout.split()[0]


def test_images_that_a_calibration_used_are_counted(
    sources: Sources, tiny_manifest: Manifest, tmp_path: Path
) -> None:
    used = [sha256(image.path.read_bytes()).hexdigest() for image in sources.matched.images[:3]]
    files = {
        "model.onnx": tiny_model(),
        "calibration.json": calibration_table([*used, "ab" * 32]),
    }
    bundle = write_bundle(tmp_path / "calibrated", tiny_manifest, files)
    run = run_of("int8", bundle, sources, made_up(sources, 0))
    assert evaluate(sources, [run], OPTIONS).bundles[0].calibrated == 3


def test_the_first_image_warms_up_and_is_not_timed() -> None:
    timings = [Timing(90, 90, 90, 270), *(Timing(1, 2, value, 3 + value) for value in range(1, 6))]
    infer = time_statistics(timings)["infer"]
    assert (infer.median, infer.fastest, infer.slowest, infer.mean) == (3, 1, 5, 3)
    assert time_statistics(timings[:1])["infer"].median == 90


def test_labels_tell_bundles_apart(tiny_bundle: Bundle, tiny_light_bundle: Bundle) -> None:
    assert label_bundles([tiny_bundle, tiny_light_bundle]) == ["fp32", "light, fp32"]
    assert label_bundles([tiny_bundle]) == ["fp32"]
    assert label_bundles([tiny_bundle, Bundle.open()]) == ["tiny fp32", "bsnet-cohen-research fp32"]
    assert label_bundles([tiny_bundle, tiny_bundle]) == ["tiny fp32 (1)", "tiny fp32 (2)"]
