"""Everything that is watched while times are taken."""

from collections.abc import Sequence
from pathlib import Path

from . import nvidia_smi, tegrastats
from .cpu_clocks import ClockWatch
from .observation import Observation
from .other_load import LoadWatch, QuotaWatch


class ConditionsWatch:
    """Watches the machine from its making to `finish`.

    Parameters
    ----------
    gpu
        Whether a GPU does the work; else what it does says nothing of the times.
    root
        Where ``/proc`` and ``/sys`` are; for the tests.
    """

    def __init__(self, gpu: bool, root: Path = Path("/")) -> None:
        self._unlocked = tegrastats.find_unlocked(root) if gpu else ()
        self._samplers = {tegrastats.find: tegrastats.start_sampler()}
        if gpu:
            self._samplers[nvidia_smi.find] = nvidia_smi.start_sampler()
        self._watches = (LoadWatch(root), QuotaWatch(root), ClockWatch(root))

    def finish(self) -> Observation:
        """Tell all that was seen."""
        findings = [watch.finish() for watch in self._watches]
        for find, sampler in self._samplers.items():
            absent = isinstance(sampler, str)
            findings.append(Observation(absent=(sampler,)) if absent else find(sampler.stop()))
        return merge([*findings, Observation(warnings=self._unlocked)])


def merge(findings: Sequence[Observation]) -> Observation:
    """All findings as one."""
    return Observation(
        {name: value for finding in findings for name, value in finding.figures.items()},
        tuple(sentence for finding in findings for sentence in finding.warnings),
        tuple(sentence for finding in findings for sentence in finding.absent),
    )
