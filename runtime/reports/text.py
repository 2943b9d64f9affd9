"""Text for people: a short block for each file, the zones laid out as on the image."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from ..plain_text import encodable, printable
from ..results import RESEARCH_USE, ModelIdentity, ScoredRadiograph, UnscoredFile
from ..scores import BrixiaScore, Zone, ZoneScore

WIDTH = 88
"""Longer sentences are wrapped; a file name never is, so that it can be copied."""

_DIGEST_LENGTH = 12
_ROWS = ((Zone.A, Zone.D), (Zone.B, Zone.E), (Zone.C, Zone.F))


class TextReport:
    """Writes one block for each file, with an empty line between two.

    Parameters
    ----------
    stream
        Where the blocks go. Nothing in them depends on colour or on a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._separator = ""

    def add(
        self,
        result: ScoredRadiograph | UnscoredFile,
        written: Sequence[Path] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        """Write one block, with the files that were written about it, and flush."""
        del remarks
        lines = [*block_lines(result), *(f"  written  {printable(str(path))}" for path in written)]
        block = self._separator + "\n".join(lines) + "\n"
        self._separator = "\n"
        self._stream.write(encodable(block, self._stream))
        self._stream.flush()


def block_lines(result: ScoredRadiograph | UnscoredFile) -> list[str]:
    """Say in a few lines what came of a file.

    Parameters
    ----------
    result
        A scored radiograph, or a file that could not be scored.

    Returns
    -------
    list[str]
        The file name, then indented lines. The patient's right lung stands on the left, as on
        the image.
    """
    heading = printable(str(result.file))
    if isinstance(result, UnscoredFile):
        reason = f"{type(result.error).__name__}: {result.error}"
        return [heading, *_wrapped("not scored  ", reason)]
    return [
        heading,
        *_score_lines(result.score),
        *(line for text in result.quality.warnings for line in _wrapped("! unreliable: ", text)),
        _model_line(result.model, result.timing.total),
        f"  {RESEARCH_USE}",
    ]


def _score_lines(score: BrixiaScore) -> list[str]:
    expected = score.expected_global
    rows = [(score[right], score[left]) for right, left in _ROWS]
    return [
        f"  Brixia score {score.global_score} of 18 (expected {expected:.1f})",
        "            right lung     left lung",
        *(f"    {right.zone.level:<8}{_zone(right)}      {_zone(left)}" for right, left in rows),
    ]


def _zone(item: ZoneScore) -> str:
    return f"{item.zone.value} {item.score} ({item.expected:.1f})"


def _model_line(model: ModelIdentity, milliseconds: float) -> str:
    identity = f"{printable(model.name)}, {model.kind}, sha256 {model.sha256[:_DIGEST_LENGTH]}"
    return f"  model {identity}; {milliseconds:.0f} ms"


def _wrapped(label: str, text: str) -> list[str]:
    indent = "  " + label
    # Words are kept whole: a path or UID that is broken in two cannot be copied.
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
