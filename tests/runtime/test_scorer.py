"""From a file to a score: with a tiny network whose answer is worked out here by hand."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from brixia_edge.runtime.backends import BACKENDS, Backend, backend_names, open_session
from brixia_edge.runtime.backends.base import Outputs
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.errors import (
    BackendUnavailable,
    ImageTooLarge,
    MissingExtra,
    PredictionError,
    UnreadableImage,
)
from brixia_edge.runtime.preparation.preprocess import preprocess
from brixia_edge.runtime.reading.read import read_radiograph
from brixia_edge.runtime.results import ScoredRadiograph, UnscoredFile
from brixia_edge.runtime.scorer import Scorer
from brixia_edge.runtime.scores import BrixiaScore, Zone
from brixia_edge.runtime.sources.isolated import ReadingMode
from brixia_edge.runtime.sources.process import ReadingLimits
from numpy.typing import NDArray


def test_a_file_becomes_a_score(tiny_bundle: Bundle, chest_png: Path) -> None:
    with Scorer(tiny_bundle) as scorer:
        result = scorer.score(chest_png)
    image = preprocess(read_radiograph(chest_png), tiny_bundle.manifest.preprocess)
    logits = np.arange(4) * image.mean(dtype=np.float64)
    expected = np.exp(logits) / np.exp(logits).sum()
    for zone in Zone:
        assert result.score[zone].probabilities == pytest.approx(expected, abs=1e-5)
        assert result.score[zone].score == 3
    assert result.score.global_score == 18
    assert result.score.expected_global == pytest.approx(6 * expected @ np.arange(4), abs=1e-4)
    np.testing.assert_allclose(result.prediction.lung_mask, 1 - image[0, 0], atol=1e-6)
    assert result.timing.total >= result.timing.infer > 0
    assert result.model == tiny_bundle.identity


def test_one_bad_file_costs_only_itself(
    tiny_bundle: Bundle, chest_png: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(b"\x00" * 300)
    with Scorer(tiny_bundle) as scorer:
        results = list(scorer.score_many([chest_png, bad, tmp_path / "absent", chest_png]))
    kinds = [type(result) for result in results]
    assert kinds == [ScoredRadiograph, UnscoredFile, UnscoredFile, ScoredRadiograph]
    assert isinstance(results[1], UnscoredFile)
    assert isinstance(results[1].error, UnreadableImage)


def test_an_image_beyond_the_memory_costs_only_itself(
    tiny_bundle: Bundle, chest_png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("brixia_edge.runtime.sources.source.read_radiograph", fail)
    with Scorer(tiny_bundle) as scorer:
        (result,) = scorer.score_many([chest_png])
    assert isinstance(result, UnscoredFile)
    assert isinstance(result.error, ImageTooLarge)


def test_zone_evidence_comes_only_when_asked_for(tiny_bundle: Bundle, chest_png: Path) -> None:
    with Scorer(tiny_bundle) as scorer:
        assert scorer.score(chest_png).prediction.zone_evidence is None
    with Scorer(tiny_bundle, outputs=["zone_evidence"]) as scorer:
        evidence = scorer.score(chest_png).prediction.zone_evidence
    assert evidence is not None
    assert evidence.shape == (6, 4, 16, 16)


@pytest.mark.parametrize(
    ("shape", "dtype", "reason"),
    [
        ((1, 512, 512), "float32", "shape"),
        ((1, 1, 256, 512), "float32", "shape"),
        ((0, 1, 512, 512), "float32", "batch of 0; allowed are 1 to 4"),
        ((5, 1, 512, 512), "float32", "batch of 5; allowed are 1 to 4"),
        ((1, 1, 512, 512), "float64", "dtype float64"),
    ],
)
def test_a_session_refuses_what_the_network_does_not_take(
    tiny_bundle: Bundle, shape: tuple[int, ...], dtype: str, reason: str
) -> None:
    with open_session(tiny_bundle) as session, pytest.raises(ValueError, match=reason):
        session.run(np.zeros(shape, np.dtype(dtype)))


def test_a_session_gives_the_outputs_asked_for(tiny_bundle: Bundle) -> None:
    images = np.zeros((2, 1, 512, 512), np.float32)
    with open_session(tiny_bundle, "onnxruntime", threads=1) as session:
        assert set(session.run(images)) == set(tiny_bundle.manifest.outputs)
        only = session.run(images, ["alignment"])
        assert {name: value.shape for name, value in only.items()} == {"alignment": (2, 2, 3)}
        with pytest.raises(ValueError, match="do not exist"):
            session.run(images, ["logits"])


def test_a_backend_that_is_not_installed_says_what_to_install(tiny_bundle: Bundle) -> None:
    absent = Backend("warp", "warp", "WarpSession", ("no_such_package",), "pip install warp")
    with pytest.raises(MissingExtra, match=r"no_such_package.*pip install warp"):
        absent.open(tiny_bundle)


def test_a_backend_that_does_not_load_keeps_its_reason(tiny_bundle: Bundle) -> None:
    broken = Backend("warp", "no_such_module", "WarpSession", (), "pip install warp")
    with pytest.raises(BackendUnavailable, match=r"cannot be loaded.*no_such_module"):
        broken.open(tiny_bundle)


def test_openvino_is_imported_without_its_telemetry() -> None:
    if find_spec("openvino") is None:
        pytest.skip("openvino is absent: brixia-edge[openvino]")
    code = (
        "import sys, brixia_edge.runtime.backends.openvino_cpu;"
        "sys.exit('openvino_telemetry' in sys.modules or 'multiprocessing' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_backend_lists_those_there_are(tiny_bundle: Bundle) -> None:
    with pytest.raises(BackendUnavailable, match="onnxruntime"):
        open_session(tiny_bundle, "warp")
    assert backend_names()[0] == "auto"
    assert "onnxruntime" in [backend.name for backend in BACKENDS]


def test_a_network_that_does_not_load_is_an_error_with_a_remedy(
    tiny_bundle: Bundle,
) -> None:
    tiny_bundle.model.write_bytes(b"not a network")
    with pytest.raises(BackendUnavailable, match="cannot load"):
        open_session(tiny_bundle)


def test_ties_and_means_are_read_as_the_paper_does() -> None:
    probabilities = np.tile(np.array([0.4, 0.1, 0.1, 0.4], np.float32), (6, 1))
    score = BrixiaScore.from_probabilities(probabilities)
    assert score[Zone.A].score == int(np.argmax(probabilities[0])) == 0
    assert score.expected_global == pytest.approx(6 * 1.5)
    assert [zone.value for zone in Zone] == list("ABCDEF")
    assert (Zone.B.lung, Zone.B.level) == ("right", "middle")
    assert (Zone.F.lung, Zone.F.level) == ("left", "lower")


@pytest.mark.parametrize("shape", [(6, 3), (3, 2, 4), (24,)])
def test_scores_are_not_made_of_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        BrixiaScore.from_probabilities(np.zeros(shape, np.float32))


def test_a_score_keeps_the_zone_order(make_result: Callable[..., ScoredRadiograph]) -> None:
    zones = make_result().score.zones
    with pytest.raises(ValueError, match="order"):
        BrixiaScore(tuple(reversed(zones)))


def test_numbers_that_are_not_finite_are_no_score(
    tiny_bundle: Bundle, chest_png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Scorer(tiny_bundle) as scorer:
        run = scorer.session.run

        def overflow(images: NDArray[np.float32], outputs: Sequence[str]) -> Outputs:
            return {**run(images, outputs), "probabilities": np.full((1, 6, 4), np.nan, np.float32)}

        monkeypatch.setattr(scorer.session, "run", overflow)
        (result,) = scorer.score_many([chest_png])
    assert isinstance(result, UnscoredFile)
    assert isinstance(result.error, PredictionError)
    assert "probabilities with numbers that are not finite" in str(result.error)


@pytest.mark.parametrize("isolated", [False, True])
def test_a_backend_that_is_gone_stops_the_run(
    tiny_bundle: Bundle, chest_png: Path, monkeypatch: pytest.MonkeyPatch, isolated: bool
) -> None:
    reading = ReadingMode(ReadingLimits() if isolated else None)
    with Scorer(tiny_bundle, reading=reading) as scorer:
        run, runs = scorer.session.run, list[int]()

        def lose_device(images: NDArray[np.float32], outputs: Sequence[str]) -> Outputs:
            runs.append(1)
            if len(runs) == 2:
                raise BackendUnavailable("the GPU has fallen off the bus")
            return run(images, outputs)

        monkeypatch.setattr(scorer.session, "run", lose_device)
        results = scorer.score_many([chest_png] * 5)
        assert isinstance(next(results), ScoredRadiograph)
        with pytest.raises(BackendUnavailable, match="fallen off"):
            next(results)
    assert len(runs) == 2


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_runtime_that_fails_while_it_runs_is_a_backend_that_is_gone(
    tiny_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("bad allocation")

    with open_session(tiny_bundle, backend) as session:
        inner: dict[str, Any] = {"run": fail, "infer": fail}
        monkeypatch.setattr(session, "_session", SimpleNamespace(**inner), raising=False)
        monkeypatch.setattr(session, "_requests", {1: SimpleNamespace(**inner)}, raising=False)
        with pytest.raises(BackendUnavailable, match=r"could not run the network.*bad allocation"):
            session.run(np.zeros((1, 1, 512, 512), np.float32))
