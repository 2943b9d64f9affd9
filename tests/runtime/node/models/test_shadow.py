"""A shadow scores what was answered, answers nobody, and its agreement is told."""

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest
from brixia_edge.runtime.bundles.bundle import Bundle
from brixia_edge.runtime.bundles.manifest import Manifest
from brixia_edge.runtime.bundles.writing import write_bundle
from brixia_edge.runtime.node.data_folder import DataFolder
from brixia_edge.runtime.node.models import shadow as shadow_module
from brixia_edge.runtime.node.models.shadow import Shadow
from brixia_edge.runtime.node.receiving.storage import Storage
from brixia_edge.runtime.node.scoring.process import ScoringProcess, ScoringSettings
from brixia_edge.runtime.node.signals import Signals
from brixia_edge.runtime.node.state.rows import Agreement, Result
from make_models import tiny_model


@pytest.fixture
def shadow(data: DataFolder, tmp_path: Path, tiny_manifest: Manifest) -> Generator[Shadow]:
    second = replace(tiny_manifest, name="second")
    bundle = write_bundle(tmp_path / "second", second, {"model.onnx": tiny_model()})
    found = Shadow(ScoringSettings(bundle.root, "onnxruntime", 1), data, Signals())
    yield found
    found.end()


@pytest.fixture
def scored(data: DataFolder, image: Callable[..., bytes]) -> Callable[[int, str], str]:
    """Take an image up and answer it with a score, or leave it in the queue."""

    def take(number: int, score: str = "") -> str:
        Storage(data.store, data.images).take(image(number), f"{number:064x}", "XR1")
        if score:
            instance = data.store.inbox.next_to_score("received")
            assert instance is not None
            data.store.inbox.finish(instance.id, Result("main", score), [], [])
        return f"1.2.840.99.1.1.{number}"

    return take


def score(*zones: int) -> str:
    named = ", ".join(f'"{name}": {zone}' for name, zone in zip("ABCDEF", zones, strict=True))
    return f'{{"zones": {{{named}}}, "global": {sum(zones)}}}'


def test_it_scores_what_was_answered_and_answers_nobody(
    shadow: Shadow, data: DataFolder, scored: Callable[..., str]
) -> None:
    uid = scored(1, score(0, 0, 0, 0, 0, 0))
    assert shadow.step()
    assert not shadow.step()
    found = data.store.views.instance(uid)
    assert found is not None
    assert found.score == score(0, 0, 0, 0, 0, 0)
    assert found.shadow is not None
    assert '"global"' in found.shadow
    assert found.deliveries == ()
    assert data.store.views.agreement().images == 1


def test_a_light_shadow_of_the_same_name_is_kept_apart(
    tiny_light_bundle: Bundle, data: DataFolder, scored: Callable[..., str]
) -> None:
    uid = scored(1, score(0, 0, 0, 0, 0, 0))
    shadow = Shadow(ScoringSettings(tiny_light_bundle.root, "onnxruntime", 1), data, Signals())
    assert shadow.step()
    shadow.end()
    found = data.store.views.instance(uid)
    assert found is not None
    assert found.shadow is not None
    assert json.loads(found.shadow)["model"]["variant"] == "light"
    assert found.score == score(0, 0, 0, 0, 0, 0)


def test_it_waits_until_nothing_waits_for_its_answer(
    shadow: Shadow, data: DataFolder, scored: Callable[..., str]
) -> None:
    scored(1, score(0, 0, 0, 0, 0, 0))
    scored(2)
    assert not shadow.step()
    instance = data.store.inbox.next_to_score("newest")
    assert instance is not None
    data.store.inbox.fail(instance.id, "no radiograph")
    assert shadow.step()


def test_an_image_over_which_it_fails_is_left_out(
    shadow: Shadow,
    data: DataFolder,
    scored: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scored(1, score(0, 0, 0, 0, 0, 0))
    scored(2, score(0, 0, 0, 0, 0, 0))
    honest = ScoringProcess.score

    def fails_over_the_second(process: ScoringProcess, path: Path) -> object:
        if path.name.startswith("0" * 63 + "2"):
            return {"error": {"type": "UnreadableImage", "message": "no"}}
        return honest(process, path)

    monkeypatch.setattr(ScoringProcess, "score", fails_over_the_second)
    while shadow.step():
        pass
    assert data.store.views.agreement().images == 1
    assert [event.kind for event in data.store.views.events()] == ["shadow"]


def test_an_image_is_not_left_out_where_the_device_was_lost(
    shadow: Shadow,
    data: DataFolder,
    scored: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scored(1, score(0, 0, 0, 0, 0, 0))
    monkeypatch.setattr(shadow_module, "_PAUSE", 0.0)

    def lost(*_: object) -> object:
        return {"unable": "the GPU did not take the work"}

    with monkeypatch.context() as patched:
        patched.setattr(ScoringProcess, "_hear", lost)
        assert not shadow.step()
    assert [event.text for event in data.store.views.events()] == ["the GPU did not take the work"]
    assert shadow.step()
    assert data.store.views.agreement().images == 1


def test_agreement_is_counted_by_hand(data: DataFolder, scored: Callable[..., str]) -> None:
    assert data.store.views.agreement() == Agreement()
    answers = [score(0, 1, 2, 3, 2, 1), score(0, 0, 0, 0, 0, 0)]
    shadows = [score(0, 1, 2, 3, 2, 3), score(3, 0, 0, 0, 0, 0)]
    for number, answer in enumerate(answers, 1):
        scored(number, answer)
        # An earlier shadow, which no longer counts.
        data.store.inbox.add_shadow(number, Result("old", answers[0]))
    for number, told in enumerate(shadows, 1):
        data.store.inbox.add_shadow(number, Result("new", told))
    # Ten of twelve zones; the global scores differ by 2 and 3.
    found = data.store.views.agreement()
    assert found.zones_equal == pytest.approx(10 / 12)
    assert found == Agreement(2, found.zones_equal, 2.5, 3)


def test_agreement_is_of_the_latest_images(data: DataFolder, scored: Callable[..., str]) -> None:
    for number in range(1, 4):
        scored(number, score(0, 0, 0, 0, 0, 0))
        zones = (3, 3, 3, 3, 3, 3) if number == 1 else (0, 0, 0, 0, 0, 1)
        data.store.inbox.add_shadow(number, Result("new", score(*zones)))
    assert data.store.views.agreement().largest_difference == 18
    found = data.store.views.agreement(limit=2)
    assert (found.images, found.largest_difference) == (2, 1)


def test_a_bundle_that_is_none_is_told_at_once(data: DataFolder, tiny_bundle: Bundle) -> None:
    from brixia_edge.runtime.errors import BundleError

    tiny_bundle.model.unlink()
    with pytest.raises(BundleError):
        Shadow(ScoringSettings(tiny_bundle.root, "onnxruntime", 1), data, Signals())
