"""Reads mutated files within limits and tells what came of them.

    python tests/fuzz_worker.py FIRST COUNT FOLDER

Mutations FIRST to FIRST + COUNT - 1 are read one after the other. The one at work is kept in
FOLDER/current, so that what crashes this process can be found there. Prints one JSON object.
"""

import faulthandler
import json
import resource
import sys
from collections import Counter
from pathlib import Path
from time import process_time

import cv2
import numpy as np
from brixia_edge.runtime.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.sources.source import PreparedRadiograph, prepare_file
from fuzz_bases import IDENTITY, bases
from mutations import mutate

MEMORY = 2 * 2**30
"""Bytes of address space."""

SECONDS = 10.0
"""Processor time for each file."""

SECRETS = tuple(secret for secret in IDENTITY if not secret.isdigit())
"""A date that a damaged tag makes a number of frames is told as the number that it is then."""

SPEC = PreprocessSpec("equalize")


def main() -> None:
    """Read the mutations that the command line names."""
    first, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    faulthandler.enable()
    cv2.setNumThreads(1)  # each takes address space, and OpenCV starts one for each core
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    originals, outcomes = bases(), Counter[str]()
    failures: list[str] = []
    slowest = 0.0
    for seed in range(first, first + count):
        name, content = originals[seed % len(originals)]
        file = folder / "current"
        file.write_bytes(mutate(content, seed))
        (folder / "seed").write_text(f"{name} {seed}")
        started = process_time()
        outcome = judge(file)
        taken = process_time() - started
        slowest = max(slowest, taken)
        outcomes[outcome.split(":")[0]] += 1
        if outcome.startswith("FAILED") or taken > SECONDS:
            failures.append(f"{name} {seed} after {taken:.1f} s: {outcome}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = {"outcomes": outcomes, "failures": failures, "slowest": slowest, "peak_kb": peak}
    print(json.dumps(told))  # noqa: T201 - the test reads it


def judge(file: Path) -> str:
    """Read one file; gives what came of it, beginning with FAILED if that must not be."""
    try:
        prepared = prepare_file(file, SPEC)
    except (ImageTooLarge, UnreadableImage, UnsupportedImage) as error:
        kind, told = type(error).__name__, str(error)
    except BaseException as error:  # the Rust decoder's panics are not Exceptions
        return f"FAILED: {type(error).__name__}: {error}"
    else:
        wrong = disorder(prepared)
        if wrong:
            return f"FAILED: {wrong}"
        kind, told = "read", " ".join((*prepared.radiograph.steps, *prepared.radiograph.warnings))
    leaked = [secret for secret in SECRETS if secret in told]
    return f"FAILED: tells {leaked}: {told}" if leaked else kind


def disorder(prepared: PreparedRadiograph) -> str:
    """Say what is wrong with a radiograph that was read, or nothing."""
    shades = prepared.radiograph.shades
    if not (shades.min() >= 0 and shades.max() <= 1):
        return "shades are not between 0 and 1"
    if int(prepared.radiograph.codes.max()) >= shades.size:
        return "a code has no shade"
    if not (np.isfinite(prepared.image).all() and prepared.image.max() <= 1):
        return "the network's input is not between 0 and 1"
    return ""


if __name__ == "__main__":
    main()
