"""An evaluation as strict JSON: the dataclasses' fields, in their order."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from ..results import Evaluation

_DIGITS = 6


def to_json(evaluation: Evaluation) -> str:
    """Write an evaluation; numbers are rounded to 6 decimals, undefined ones are null."""
    return json.dumps(as_plain(evaluation), allow_nan=False) + "\n"


def as_plain(value: object) -> Any:
    """Turn dataclasses, tuples and numbers into what JSON knows."""
    if is_dataclass(value):
        return {entry.name: as_plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        entries = cast(Mapping[object, object], value)
        return {str(key): as_plain(entry) for key, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [as_plain(entry) for entry in cast(tuple[object, ...], value)]
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value
