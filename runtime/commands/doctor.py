"""`brixia-edge doctor`."""

import click

from ..inspection.machine import examine
from .statuses import UNRUNNABLE
from .terminal import show


@click.command()
def doctor() -> int:
    """Tell what this machine can run, and what is missing. Exit status 3 when something is."""
    status = 0
    for finding in examine():
        show([f"{finding.verdict:<8}{finding.subject:<32}{finding.detail}"])
        status = UNRUNNABLE if finding.required and not finding.ok else status
    return status
