"""A long fuzz run by hand: libFuzzer, led by the coverage of our code and pydicom's.

    pip install atheris
    python tests/fuzz_by_hand.py CORPUS -max_total_time=3600 -rss_limit_mb=3000 -timeout=20

CORPUS is a folder that keeps what reached new code; a first run fills it with `fuzz_bases`. Half
of the mutations are libFuzzer's own and half those of `mutations`, which know the formats. A file
that raises anything but our errors, tells an identity, or takes too long or too much memory ends
the run and is kept as ``crash-...``.
"""

import sys
from importlib import import_module
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any

import atheris  # pyright: ignore[reportMissingImports] - not among the extras: it is for this alone

fuzzer: Any = atheris  # pyright: ignore[reportUnknownVariableType]

with fuzzer.instrument_imports(include=["brixia_edge", "pydicom"]):
    # Here because `read_radiograph` would import them later, without the coverage.
    for reader in ("dicom.reader", "image_reader"):
        import_module(f"brixia_edge.runtime.reading.{reader}")
    from fuzz_bases import bases
    from fuzz_worker import judge
    from mutations import mutate


def read(content: bytes) -> None:
    """Read one file; raises what must not be."""
    with NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(content)
        file.flush()
        outcome = judge(Path(file.name))
    if outcome.startswith("FAILED"):
        raise AssertionError(outcome)


def change(content: bytes, longest: int, seed: int) -> bytes:
    """Mutate for libFuzzer, in its way or in ours."""
    random = Random(seed)  # noqa: S311 - repeatable, which is all that is asked of it
    if random.random() < 0.5:
        return fuzzer.Mutate(content, longest)
    return mutate(content, seed)[:longest]


def main() -> None:
    """Fill the corpus and fuzz until told to stop."""
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for name, content in bases():
        (corpus / name.replace(" ", "-")).write_bytes(content)
    fuzzer.Setup([*sys.argv, "-max_len=30000"], read, custom_mutator=change)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main()
