"""Reads mutated files within limits and tells what came of them.

    python tests/fuzz_worker.py FIRST COUNT FOLDER

Mutations FIRST to FIRST + COUNT - 1 are read one after the other. The one at work is kept in
FOLDER/current, so that what crashes this process can be found there. Prints one JSON object.
"""

from pathlib import Path

import cv2
import numpy as np
from brixia_edge.runtime.errors import ImageTooLarge, UnreadableImage, UnsupportedImage
from brixia_edge.runtime.preparation.preprocess import PreprocessSpec
from brixia_edge.runtime.sources.source import PreparedRadiograph, prepare_file
from fuzz_bases import IDENTITY, bases
from fuzz_loop import run
from mutations import mutate

MEMORY = 2 * 2**30
"""Bytes of address space."""

SECRETS = tuple(secret for secret in IDENTITY if not secret.isdigit())
"""A date that a damaged tag makes a number of frames is told as the number that it is then."""

SPEC = PreprocessSpec("equalize")


def main() -> None:
    """Read the mutations that the command line names."""
    cv2.setNumThreads(1)  # each takes address space, and OpenCV starts one for each core
    originals = bases()

    def judge_mutation(seed: int) -> str:
        name, content = originals[seed % len(originals)]
        file = Path("current")
        file.write_bytes(mutate(content, seed))
        outcome = judge(file)
        return f"{outcome} ({name})" if outcome.startswith("FAILED") else outcome

    run(judge_mutation, MEMORY)


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
