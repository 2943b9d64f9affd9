"""Runs the console script over and over, each time with some of its standard streams closed.

Called with a file of cases in JSON, each ``{"arguments": [...], "streams": {"1": "closed"}}``;
prints ``[{"status", "out", "err"}]``. One process that has imported everything forks for each case,
since the imports take longer than most commands.
"""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path

from brixia_edge.benchmarks.cli import PARTS
from brixia_edge.runtime.cli import COMMANDS, run

FULL = Path("/dev/full")
"""A disk that is full, on Linux."""


def main() -> None:
    """Run the cases of the file that is named."""
    for entry in (*COMMANDS.values(), *PARTS.values()):
        importlib.import_module(entry.module)
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    done = [attempt(case["arguments"], case["streams"]) for case in cases]
    sys.stdout.write(json.dumps(done))


def attempt(arguments: list[str], streams: dict[str, str]) -> dict[str, object]:
    """Run one command in a process of its own."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(arguments, streams, out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(status),
            "out": out.read().decode(),
            "err": err.read().decode(),
        }


def _become(arguments: list[str], streams: dict[str, str], out: int, err: int) -> None:
    """Take over the streams as a shell hands them over, and be the console script."""
    for number, given in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, err)):
        os.dup2(given, number)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        how = streams.get(str(number))
        if how == "closed":
            os.close(number)
            setattr(sys, name, None)  # as Python does at its start
        elif how == "full":
            os.dup2(os.open(FULL, os.O_WRONLY), number)
    sys.argv = ["brixia-edge", *arguments]
    try:
        run()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    os._exit(99)


if __name__ == "__main__":
    main()
