"""Going on with a run that was cut short: ``score --resume`` adds to the JSON lines there are.

A file is done when the output holds a score for it, under the very path that is given now, and all
that is asked for about it was written. Any other is tried again, and gives a further line; so the
last line of a file holds. What a killed run or a power failure left of its last line is cut away
before anything is added.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, BinaryIO, cast

import click

from ..errors import ResumeError
from ..reading.inputs import Inputs
from ..results import EXACT, ModelIdentity, ScoringSettings
from ..scorer import Scorer
from .outputs import OutputFolders
from .terminal import tell

_START = b'{"file": '
"""How every line of `reports.JsonReport` begins."""

_LONGEST_LINE = 1 << 20
"""Bytes; ours have some three thousand, and paths of 4,096."""

_OPTIONS = {"bundle": "bundle", "backend": "--backend", "window": "--window"}
"""What each of `ScoringSettings` is called in a message."""


@dataclass(frozen=True)
class EarlierRun:
    """What the output of an earlier run holds.

    Attributes
    ----------
    scored
        The files that have a score, as their lines name them, with the paths of what was written
        about each.
    torn
        Bytes of an unfinished last line that were cut away.
    """

    scored: Mapping[str, tuple[str, ...]]
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
    ResumeError
        The output is no file that can be gone on with.
    """
    if not wanted:
        return None
    if form != "json" or output is None:
        raise click.UsageError("--resume needs --format json and --output FILE")
    if output.exists() and not output.is_file():
        raise ResumeError(f"{output} is no file that can be gone on with; give one")
    return output


def unscored(inputs: Inputs, output: Path, scorer: Scorer, outputs: OutputFolders) -> Inputs:
    """Leave out the files that are done, and tell how many they are.

    Parameters
    ----------
    inputs
        All that is to be scored.
    output
        What the earlier run wrote.
    scorer
        What scores now.
    outputs
        What is asked for about each radiograph.

    Raises
    ------
    ResumeError
        The output is none that this run can go on with.
    OSError
        It cannot be read or written.
    """
    earlier = resume_output(output, scorer.bundle.identity, scorer.settings)
    if earlier.torn:
        tell(f"an unfinished line of {earlier.torn} bytes was cut away")
    remaining = set(earlier.remaining(inputs.files))
    scored = len(inputs.files) - len(remaining)
    tell(f"{scored} of {len(inputs.files)} files are scored already")
    incomplete = {
        file
        for file in inputs.files
        if file not in remaining and not outputs.complete(file, earlier.scored[str(file)])
    }
    if incomplete:
        tell(f"{len(incomplete)} of them lack what is asked for now, and are scored again")
    files = tuple(file for file in inputs.files if file in remaining | incomplete)
    return replace(inputs, files=files)


def resume_output(output: Path, model: ModelIdentity, settings: ScoringSettings) -> EarlierRun:
    """Read an output that is to be added to, and cut off an unfinished last line.

    Parameters
    ----------
    output
        The JSON lines of an earlier run; a file that is absent or empty is a run not begun.
    model, settings
        What scores now, and with what; lines of anything else must not be mixed in.

    Raises
    ------
    ResumeError
        A line is no result, or was scored otherwise; the file is left as it is.
    OSError
        The file cannot be read or written.
    """
    if not output.exists():
        return EarlierRun({})
    with output.open("r+b") as file:
        scored, whole = _read(file, output, _Expected(model, settings))
        torn = file.seek(0, os.SEEK_END) - whole
        if torn:
            file.truncate(whole)
    return EarlierRun(scored, torn)


@dataclass(frozen=True)
class _Expected:
    """What every score of an output must have been made with."""

    model: ModelIdentity
    settings: ScoringSettings

    def check(self, result: Mapping[str, Any], where: str) -> None:
        found = result.get("model")
        if _identity(found) != asdict(self.model):
            raise ResumeError(
                f"{where} is of the model {shortened(found)}; this run would add scores of "
                f"{asdict(self.model)!r}. Give the same bundle, or a new output"
            )
        told = result.get("settings")
        known: Mapping[str, Any] = cast(dict[str, Any], told) if isinstance(told, dict) else {}
        for name, value in asdict(self.settings).items():
            if name not in known or known[name] != value:
                raise ResumeError(
                    f"{where} was scored with {_OPTIONS[name]} {shortened(known.get(name))}; this "
                    f"run would add scores with {value!r}. Give the same, or a new output"
                )


def _identity(told: object) -> object:
    """What a line tells of its model; lines of before there were light networks lack a variant."""
    return {"variant": EXACT, **cast(dict[str, Any], told)} if isinstance(told, dict) else told


def _read(
    file: BinaryIO, output: Path, expected: _Expected
) -> tuple[Mapping[str, tuple[str, ...]], int]:
    """The files that have a score, see `EarlierRun`, and how many bytes whole lines take."""
    scored: dict[str, tuple[str, ...]] = {}
    whole = number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if not line.endswith(b"\n"):
            _check_torn(line, output)
            break
        result = _parse(line, f"{output}, line {number}")
        whole += len(line)
        if "error" not in result:
            expected.check(result, f"{output}, line {number}")
            name = result["file"]
            scored[name] = (*scored.get(name, ()), *result.get("written", ()))
    return scored, whole


def _parse(line: bytes, where: str) -> dict[str, Any]:
    try:
        result: Any = json.loads(line)
        written: Any = result.get("written", [])
        if isinstance(result["file"], str) and _are_texts(written):
            return result
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise ResumeError(
        f"{where} is no result of `brixia-edge score --format json`; nothing was changed. "
        "Give the output of the run that was interrupted, or a new file"
    )


def _are_texts(value: object) -> bool:
    texts = cast(list[object], value)
    return isinstance(value, list) and all(isinstance(text, str) for text in texts)


def _check_torn(line: bytes, output: Path) -> None:
    """Refuse to cut away what no run of ours can have left: it may be somebody's text."""
    # A file system that lost power may leave zeros where the line was to be.
    begun = line.rstrip(b"\0")
    ours = begun.startswith(_START) or _START.startswith(begun)
    if not ours or len(line) == _LONGEST_LINE:
        raise ResumeError(
            f"the end of {output} is no result of `brixia-edge score --format json`; nothing was "
            "changed. Give the output of the run that was interrupted, or a new file"
        )
