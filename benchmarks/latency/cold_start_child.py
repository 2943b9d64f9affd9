"""The process that `cold_start` starts: it scores one file and tells when each phase ended.

Nothing but the standard library may be imported above `main`: importing is one of the phases.
"""

import json
import sys
from time import monotonic


def main(backend: str, threads: str, bundle: str, image: str) -> None:
    """Score one file and print ``{"phase": [seconds since boot, peak memory in bytes]}``.

    Parameters
    ----------
    backend
        A name of `backends.backend_names`.
    threads
        A number, or empty for all cores.
    bundle
        The bundle's directory.
    image
        The file.
    """
    from ..machine.peak_memory import peak_memory

    marks: dict[str, tuple[float, int | None]] = {}

    def mark(phase: str) -> None:
        marks[phase] = monotonic(), peak_memory()

    mark("interpreter")
    from pathlib import Path

    from ...runtime.bundles.bundle import Bundle
    from ...runtime.scorer import Scorer

    mark("import")
    opened = Bundle.open(Path(bundle))
    mark("bundle open")
    scorer = Scorer(opened, backend, int(threads) if threads else None)
    mark("session")
    with scorer:
        scorer.score(image)
        mark("first run")
    json.dump(marks, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
