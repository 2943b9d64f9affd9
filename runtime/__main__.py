"""``python -m brixia_edge.runtime``: the `brixia-edge` command, where no script is on the path."""

from .cli import run

if __name__ == "__main__":
    run()
