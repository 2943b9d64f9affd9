"""``python -m brixia_edge.benchmarks.page``."""

from .cli import command

command()
