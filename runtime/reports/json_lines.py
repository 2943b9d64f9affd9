"""JSON lines: one object a line for each file, in the order of the run."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from ..results import RESEARCH_USE, ScoredRadiograph, UnscoredFile
from ..scores import BrixiaScore

_DIGITS = 6  # float32 carries no more, and a shorter line is easier on the eye
_MILLISECOND_DIGITS = 3


class JsonReport:
    """Writes strict JSON, one object a line, in ASCII so that any stream takes it.

    Parameters
    ----------
    stream
        Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def add(
        self,
        result: ScoredRadiograph | UnscoredFile,
        written: Sequence[Path] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        """Write one line and flush.

        ``written`` is a member where files were written about it, ``remarks`` where something of
        the radiograph's header is not in these as it was.

        Raises
        ------
        ValueError
            A number of the result is not finite; JSON has no word for it.
        """
        entry = as_object(result)
        if written:
            entry["written"] = [str(path) for path in written]
        if remarks:
            entry["remarks"] = list(remarks)
        self._stream.write(json.dumps(entry, allow_nan=False) + "\n")
        self._stream.flush()


def as_object(result: ScoredRadiograph | UnscoredFile) -> dict[str, object]:
    """Build the object that stands for a result, of plain Python values.

    Parameters
    ----------
    result
        A scored radiograph, or a file that could not be scored.

    Returns
    -------
    dict[str, object]
        ``{"file", "error": {"type", "message"}}`` for a file without a score; else ``file``,
        ``sop_instance_uid``, ``zones``, ``global``, ``expected``, ``probabilities``,
        ``quality``, ``model``, ``settings``, ``timing_ms`` and ``notice``. Probabilities and
        expected scores are rounded to 6 decimals, times to 3.
    """
    if isinstance(result, UnscoredFile):
        error = {"type": type(result.error).__name__, "message": str(result.error)}
        return {"file": str(result.file), "error": error}
    return {
        "file": str(result.file),
        "sop_instance_uid": result.radiograph.sop_instance_uid,
        **_score_members(result.score),
        **_circumstances(result),
        "notice": RESEARCH_USE,
    }


def _score_members(score: BrixiaScore) -> dict[str, object]:
    expected = {item.zone.value: round(item.expected, _DIGITS) for item in score.zones}
    return {
        "zones": {item.zone.value: item.score for item in score.zones},
        "global": score.global_score,
        "expected": {**expected, "global": round(score.expected_global, _DIGITS)},
        "probabilities": {
            item.zone.value: [round(float(value), _DIGITS) for value in item.probabilities]
            for item in score.zones
        },
    }


def _circumstances(result: ScoredRadiograph) -> dict[str, object]:
    quality, model, timing = result.quality, result.model, result.timing
    milliseconds = {
        "read": timing.read,
        "prepare": timing.prepare,
        "infer": timing.infer,
        "total": timing.total,
    }
    return {
        "quality": {"ok": quality.ok, "warnings": list(quality.warnings)},
        "model": asdict(model),
        "settings": asdict(result.settings),
        "timing_ms": {
            stage: round(value, _MILLISECOND_DIGITS) for stage, value in milliseconds.items()
        },
    }
