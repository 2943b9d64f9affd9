"""A build's progress, and calling it off.

A build runs in a thread of its own: while the library works in its own code,
Python's main thread could not take a Ctrl-C.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event
from typing import Any, TypeVar

Result = TypeVar("Result")

_GLANCE = 0.1
"""Seconds between two looks at the build."""


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


@dataclass
class BuildProgress:
    """How far a build is, as nested phases of known steps tell.

    Attributes
    ----------
    cancelled
        Set it, and the build ends at its next step.
    """

    cancelled: Event = field(default_factory=Event)
    _phases: dict[str, _Phase] = field(default_factory=dict[str, _Phase])

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """Enter a phase, which is one step of its parent."""
        self._phases[name] = _Phase(parent, steps)

    def step(self, name: str, done: int) -> bool:
        """Count steps of a phase; False asks the build to end."""
        if phase := self._phases.get(name):
            phase.done = done
        return not self.cancelled.is_set()

    def finish(self, name: str) -> None:
        """Leave a phase."""
        phase = self._phases.pop(name, None)
        if phase and phase.parent is None:
            self._phases.clear()

    @property
    def fraction(self) -> float:
        """0 to 1 over all phases that are known by now."""
        # A snapshot: the building thread adds phases meanwhile.
        phases = dict(self._phases)
        return sum(self._within(n, phases) for n, p in phases.items() if p.parent not in phases)

    def _within(self, name: str, phases: dict[str, _Phase]) -> float:
        phase = phases[name]
        inner = sum(self._within(n, phases) for n, p in phases.items() if p.parent == name)
        return min(1.0, (phase.done + min(1.0, inner)) / max(1, phase.steps))


def attach(trt: Any, config: Any, progress: BuildProgress) -> None:
    """Let a build report to `progress`."""

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return progress.step(phase_name, step + 1)

        def phase_finish(self, phase_name: str) -> None:
            progress.finish(phase_name)

    config.progress_monitor = Monitor()


def watch(
    build: Callable[[], Result], progress: BuildProgress, show: Callable[[float], object]
) -> Result:
    """Run `build` in a thread and show how far it is; an interrupt calls it off and is raised."""
    with ThreadPoolExecutor(1, "engine-build") as pool:
        running = pool.submit(build)
        try:
            while not running.done():
                wait([running], timeout=_GLANCE)
                show(progress.fraction)
        except BaseException:
            progress.cancelled.set()
            raise
        return running.result()
