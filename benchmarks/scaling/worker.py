"""A process that scores one file again and again and tells how often, and its memory.

It says `READY` when it is warm, waits for a line on standard input, and at the end writes one
line of JSON; see `workers`.
"""

import json
import sys
from pathlib import Path
from time import perf_counter

from ...runtime.bundles.bundle import Bundle
from ..latency.measurement import time_once
from ..latency.stages import Pipeline
from ..latency.warm_up import warm_up
from ..machine.peak_memory import peak_memory

READY = "ready"


def run(arguments: list[str]) -> None:
    """Score until the time is up.

    Parameters
    ----------
    arguments
        One JSON object: ``bundle``, ``backend``, ``image``, ``threads``, ``batch``, ``seconds``.
    """
    order = json.loads(arguments[0])
    bundle = Bundle.open(Path(order["bundle"]))
    image = Path(order["image"])
    with Pipeline(bundle, order["backend"], image, order["threads"], order["batch"]) as pipeline:
        warm_up(lambda: time_once(pipeline.score), maximum_seconds=order["seconds"])
        sys.stdout.write(READY + "\n")
        sys.stdout.flush()
        sys.stdin.readline()
        images, seconds, started = 0, 0.0, perf_counter()
        # Once at the least, even where the time is up before the first score is begun.
        while images == 0 or seconds < order["seconds"]:
            pipeline.score()
            images += order["batch"]
            seconds = perf_counter() - started
    found = {"images": images, "seconds": seconds, "peak_memory": peak_memory()}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    run(sys.argv[1:])
