"""A clock that stands still unless it is moved, and a pipeline that moves it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from brixia_edge.benchmarks.latency.sample_image import write_chest
from brixia_edge.benchmarks.latency.stages import Pipeline
from brixia_edge.benchmarks.machine import speed as reference_work
from brixia_edge.runtime.backends.base import Mark
from brixia_edge.runtime.results import ScoredRadiograph


class FakeClock:
    """Seconds; looking at it takes a microsecond, so that nothing takes no time at all."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now

    def work(self, milliseconds: float) -> None:
        """Let time pass."""
        self.now += milliseconds / 1000


class PipelineDouble(Pipeline):
    """Takes the time it is told, end to end and by stage."""

    def __init__(
        self, clock: FakeClock, end_to_end: Callable[[], float], stages: Mapping[str, float]
    ) -> None:
        self.batch = 1
        self._clock, self._end_to_end, self._stages = clock, end_to_end, stages

    def score(self) -> None:
        self._clock.work(self._end_to_end())

    def score_in_stages(self, mark: Mark) -> list[ScoredRadiograph]:
        for stage, milliseconds in self._stages.items():
            self._clock.work(milliseconds)
            mark(stage)
        return []


@pytest.fixture(autouse=True)
def light_reference_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times mean nothing in tests, so the work that is timed may be small."""
    monkeypatch.setattr(reference_work, "SIZE", 16)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def chest_dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated radiograph."""
    path = tmp_path_factory.mktemp("chest") / "chest.dcm"
    write_chest(path)
    return path
