"""The process that scores a folder and tells its time and memory; see `files`."""

import json
import sys
from time import perf_counter

from ...runtime.cli import main
from ..machine.peak_memory import peak_memory


def run(arguments: list[str]) -> int:
    """Run `brixia-edge` with these arguments; one line of JSON on standard output at the end."""
    started = perf_counter()
    status = main(arguments)
    seconds = perf_counter() - started
    found = {"status": status, "seconds": seconds, "peak_memory": peak_memory()}
    sys.stdout.write(json.dumps(found) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
