"""`brixia-edge doctor`."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from ..inspection.machine import Examination, examine
from .options import format_option
from .statuses import UNRUNNABLE
from .terminal import show, show_json


@click.command()
@format_option(("text", "json"))
def doctor(form: str) -> int:
    """Tell what this machine can run, and what is missing. Exit status 3 when something is."""
    if form == "json":
        findings = list(examine())
        show_json({"ok": not _missing(findings), "findings": [asdict(each) for each in findings]})
        return UNRUNNABLE if _missing(findings) else 0
    found: list[Examination] = []
    for finding in examine():
        show([f"{finding.verdict:<8}{finding.subject:<32}{finding.detail}"])
        found.append(finding)
    return UNRUNNABLE if _missing(found) else 0


def _missing(findings: Sequence[Examination]) -> bool:
    return any(finding.required and not finding.ok for finding in findings)
