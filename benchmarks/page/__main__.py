"""``python -m brixia_edge.benchmarks.page``."""

from ...runtime.cli import run_alone
from .cli import command

run_alone(command, "python -m brixia_edge.benchmarks.page")
