"""``python -m brixia_edge``: the `brixia-edge` command, where no script is on the path."""

from brixia_edge.runtime.cli import run

if __name__ == "__main__":
    run()
