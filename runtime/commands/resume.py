"""Going on with a run that was cut short: ``score --resume`` adds to the JSON lines there are.

A file is done when the output holds a score for it, under the very path that is given now; a
file that failed is tried again, and gives a further line. So the last line of a file holds. What a
killed run or a power failure left of its last line is cut away before anything is added.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import click

from ..bundles.bundle import Bundle
from ..errors import ResumeError
from ..reading.inputs import Inputs
from ..results import ModelIdentity
from .terminal import tell

_START = b'{"file": '
"""How every line of `reports.JsonReport` begins."""


@dataclass(frozen=True)
class EarlierRun:
    """What the output of an earlier run holds.

    Attributes
    ----------
    scored
        The files that have a score, as their lines name them.
    torn
        Bytes of an unfinished last line that were cut away.
    """

    scored: frozenset[str]
    torn: int = 0

    def remaining(self, files: Iterable[Path]) -> tuple[Path, ...]:
        """Those files that have no score yet, in their order."""
        return tuple(file for file in files if str(file) not in self.scored)


def output_to_resume(wanted: bool, form: str, output: Path | None) -> Path | None:
    """The output to go on with, or None where that is not wanted.

    Raises
    ------
    click.UsageError
        It is wanted, and there is nothing to go on with.
    """
    if wanted and (form != "json" or output is None):
        raise click.UsageError("--resume needs --format json and --output FILE")
    return output if wanted else None


def unscored(inputs: Inputs, output: Path, bundle: Bundle) -> Inputs:
    """Leave out the files that the output has a score for, and tell how many they are.

    Raises
    ------
    ResumeError
        The output is none that this run can go on with.
    OSError
        It cannot be read or written.
    """
    earlier = resume_output(output, bundle.identity)
    remaining = earlier.remaining(inputs.files)
    done = len(inputs.files) - len(remaining)
    tell(f"{done} of {len(inputs.files)} files are scored already")
    if earlier.torn:
        tell(f"an unfinished line of {earlier.torn} bytes was cut away")
    return replace(inputs, files=remaining)


def resume_output(output: Path, model: ModelIdentity) -> EarlierRun:
    """Read an output that is to be added to, and cut off an unfinished last line.

    Parameters
    ----------
    output
        The JSON lines of an earlier run; a file that is absent or empty is a run not begun.
    model
        Which model scores now; lines of another must not be mixed in.

    Raises
    ------
    ResumeError
        A line is no result, or of another model; the file is left as it is.
    OSError
        The file cannot be read or written.
    """
    if not output.exists():
        return EarlierRun(frozenset())
    with output.open("r+b") as file:
        scored, whole = _read(file, output, model)
        torn = file.seek(0, os.SEEK_END) - whole
        if torn:
            file.truncate(whole)
    return EarlierRun(scored, torn)


def _read(file: BinaryIO, output: Path, model: ModelIdentity) -> tuple[frozenset[str], int]:
    """The files that have a score, and how many bytes whole lines take."""
    scored: set[str] = set()
    whole = 0
    for number, line in enumerate(file, 1):
        if not line.endswith(b"\n"):
            _check_torn(line, output)
            break
        result = _parse(line, f"{output}, line {number}")
        whole += len(line)
        if "error" not in result:
            _check_model(result, model, f"{output}, line {number}")
            scored.add(result["file"])
    return frozenset(scored), whole


def _parse(line: bytes, where: str) -> dict[str, Any]:
    try:
        result: Any = json.loads(line)
        if isinstance(result["file"], str):
            return result
    except (ValueError, TypeError, KeyError):
        pass
    raise ResumeError(
        f"{where} is no result of `brixia-edge score --format json`; nothing was changed. "
        "Give the output of the run that was interrupted, or a new file"
    )


def _check_torn(line: bytes, output: Path) -> None:
    """Refuse to cut away what no run of ours can have left: it may be somebody's text."""
    # A file system that lost power may leave zeros where the line was to be.
    begun = line.rstrip(b"\0")
    if not begun.startswith(_START) and not _START.startswith(begun):
        raise ResumeError(
            f"the end of {output} is no result of `brixia-edge score --format json`; nothing was "
            "changed. Give the output of the run that was interrupted, or a new file"
        )


def _check_model(result: dict[str, Any], model: ModelIdentity, where: str) -> None:
    found = result.get("model")
    if found != asdict(model):
        raise ResumeError(
            f"{where} is of the model {found!r}; this run would add scores of {asdict(model)!r}. "
            "Give the same --bundle, or a new output"
        )
