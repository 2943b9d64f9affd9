"""The entries of a calibration table's JSON: which there must be, and of what kind."""

from typing import Any

from ...runtime.documents import (
    SHA256,
    TEXT,
    exactly,
    list_of,
    map_of,
    number,
    one_of,
    parse_document,
    version,
    whole,
)
from ...runtime.errors import CalibrationError

SCHEMA_VERSION = 1
METHODS = ("entropy", "percentile", "minmax", "mse")

_LARGEST = 3.5e38  # a little more than float32 has
_ENDS = list_of(number(-_LARGEST, _LARGEST), most=2, least=2)

SCHEMA = exactly(
    {
        "schema_version": version(SCHEMA_VERSION),
        "weights_sha256": SHA256,
        "preprocess_digest": SHA256,
        "method": one_of(*METHODS),
        "percentile": number(0, 100),
        "seed": whole(0, 2**64),
        "built_with": map_of(TEXT, 100),
        "images": list_of(SHA256, 200_000),
        "tensors": map_of(exactly({"range": _ENDS, "observed": _ENDS}), 100_000),
    }
)
"""Of a table; of the two ends of a range and of what was observed the lowest comes first."""


def read_entries(text: str | bytes) -> dict[str, Any]:
    """Parse a table and check every entry but the order of the ranges' ends.

    Raises
    ------
    CalibrationError
        It is not JSON, of another schema, or an entry is missing, unknown or not allowed.
    """
    what, advice = "a calibration table", "calibrate again, or update brixia-edge"
    return parse_document(text, SCHEMA, what, CalibrationError, advice)
