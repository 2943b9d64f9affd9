"""The entries of a calibration table's JSON: which there must be, and of what kind."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from ...runtime.errors import CalibrationError

SCHEMA_VERSION = 1
METHODS = ("entropy", "percentile", "minmax", "mse")

_SHA256 = re.compile(r"[0-9a-f]{64}")

_ENTRIES = {
    "schema_version": int,
    "weights_sha256": str,
    "preprocess_digest": str,
    "method": str,
    "percentile": (int, float),
    "seed": int,
    "built_with": dict,
    "images": list,
    "tensors": dict,
}


def read_entries(text: str) -> dict[str, Any]:
    """Parse a table and check every entry but the ranges of `tensors`.

    Raises
    ------
    CalibrationError
        It is not JSON, of another schema, or an entry is missing, unknown or not allowed.
    """
    try:
        parsed: object = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise CalibrationError("a calibration table must be JSON; calibrate again") from error
    if not isinstance(parsed, dict):
        raise CalibrationError(f"a calibration table is an object, not {type(parsed).__name__}")
    entries = cast(dict[str, Any], parsed)
    if entries.get("schema_version") != SCHEMA_VERSION:
        raise CalibrationError(
            f"a calibration table has schema_version {entries.get('schema_version')!r}; this "
            f"brixia-edge reads {SCHEMA_VERSION}: calibrate again, or update it"
        )
    _check_keys(entries)
    _check_values(entries)
    return entries


def _check_keys(entries: Mapping[str, Any]) -> None:
    if missing := sorted(_ENTRIES.keys() - entries.keys()):
        raise CalibrationError(f"a calibration table lacks {', '.join(missing)}; calibrate again")
    if unknown := sorted(entries.keys() - _ENTRIES.keys()):
        raise CalibrationError(f"a calibration table has unknown entries {', '.join(unknown)}")
    for name, kind in _ENTRIES.items():
        if not isinstance(entries[name], kind) or isinstance(entries[name], bool):
            raise CalibrationError(
                f"entry {name} of a calibration table is a {type(entries[name]).__name__}; "
                "calibrate again"
            )


def _check_values(entries: Mapping[str, Any]) -> None:
    if entries["method"] not in METHODS:
        raise CalibrationError(
            f"a calibration table has method {entries['method']!r}; "
            f"allowed are {', '.join(METHODS)}"
        )
    digests = [entries["weights_sha256"], entries["preprocess_digest"], *entries["images"]]
    if wrong := [text for text in digests if not _SHA256.fullmatch(str(text))]:
        raise CalibrationError(f"a calibration table holds {wrong[0]!r} where a sha256 must stand")
