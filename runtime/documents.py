"""JSON documents that somebody else may have written: parsed strictly and held to their schema.

A manifest, a calibration table or a parity report is checked against a JSON Schema (2020-12)
before any value of it is used, so that no count is negative, no number a boolean, and no name a
path or a control character. A schema's ``description`` says in an error what is allowed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, cast

from .errors import BrixiaEdgeError
from .files import read_file, why
from .libraries import import_library
from .plain_text import shortened

Schema = Mapping[str, Any]

LARGEST_DOCUMENT = 16 << 20
"""Bytes; the largest of ours, the table of a network's tensors, takes 40 kB."""

# Python's $ also stands before a line break at the end.
_END = r"$(?!\n)"
_NEVER = r"\x00\ud800-\udfff"  # NUL, and halves of characters

SHA256: Schema = {
    "type": "string",
    "pattern": f"^[0-9a-f]{{64}}{_END}",
    "description": "a SHA-256 in 64 hexadecimal digits",
}

TEXT: Schema = {
    "type": "string",
    "maxLength": 4000,
    "pattern": f"^[^{_NEVER}]*$",
    "description": "a text of at most 4000 characters without NUL",
}
"""What people read; `plain_text` makes it fit for where it is shown."""

RELATIVE_PATH: Schema = {
    "type": "string",
    "maxLength": 300,
    "pattern": rf"^(?!.*(^|/)\.{{0,2}}(/|$))[^\x01-\x1f\x7f\\{_NEVER}]+{_END}",
    "description": "a path below the folder, with / between its parts",
}

_KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}

_FOUND_ERRORS, _SHOWN_ERRORS = 100, 3
_DEEPEST = 20  # levels of lists and objects; Python's own functions fail at some hundreds


def exactly(properties: Schema) -> Schema:
    """An object with these entries and no other."""
    return {**having(properties), "additionalProperties": False}


def having(properties: Schema) -> Schema:
    """An object with these entries; others are left alone."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def map_of(values: Schema, most: int, names: Schema = TEXT) -> Schema:
    """An object of at most so many entries, whose values are all alike."""
    return {
        "type": "object",
        "maxProperties": most,
        "propertyNames": names,
        "additionalProperties": values,
    }


def list_of(items: Schema, most: int, least: int = 0) -> Schema:
    """A list of at most so many items, which are all alike."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def whole(least: int, most: int) -> Schema:
    """A whole number within limits, both included."""
    told = f"a whole number from {least} to {most}"
    return {"type": "integer", "minimum": least, "maximum": most, "description": told}


def number(least: float = -1e30, most: float = 1e30) -> Schema:
    """A number within limits, both included."""
    told = f"a number from {least:g} to {most:g}"
    return {"type": "number", "minimum": least, "maximum": most, "description": told}


def version(known: int) -> Schema:
    """The version of a document's own schema that is read here."""
    return {"const": known, "description": f"{known}, which this brixia-edge reads"}


def one_of(*values: object) -> Schema:
    """One of these values."""
    return {"enum": list(values), "description": ", ".join(map(str, values))}


def optional(schema: Schema) -> Schema:
    """What the schema says, or nothing."""
    return {"anyOf": [{"type": "null"}, schema], "description": f"null, or {_told(schema)}"}


def read_document(
    path: Path, schema: Schema, error: type[BrixiaEdgeError], advice: str
) -> dict[str, Any]:
    """Read a document from a file.

    Parameters
    ----------
    path
        A regular file of at most `LARGEST_DOCUMENT` bytes.
    schema, error, advice
        As `parse_document`.

    Raises
    ------
    BrixiaEdgeError
        Of the given class: the file cannot be read, or as from `parse_document`.
    """
    try:
        content = read_file(path, LARGEST_DOCUMENT)
    except OSError as failure:
        raise error(f"{path} cannot be read: {why(failure)}; {advice}") from failure
    return parse_document(content, schema, str(path), error, advice)


def parse_document(
    content: bytes | str, schema: Schema, what: str, error: type[BrixiaEdgeError], advice: str
) -> dict[str, Any]:
    """Parse a document and hold it to its schema.

    Parameters
    ----------
    content
        JSON; bytes are UTF-8.
    schema
        Of JSON Schema, 2020-12, for an object.
    what
        What the document is, for the message.
    error
        What is raised.
    advice
        What the user can do.

    Raises
    ------
    BrixiaEdgeError
        Of the given class: it is no JSON, an entry stands twice, or a value is not allowed.
    """
    try:
        entries: object = json.loads(content, object_pairs_hook=_once, parse_constant=_constant)
    except RecursionError:
        raise error(f"{what} is nested too deep; {advice}") from None
    except ValueError as failure:
        raise error(f"{what} is not JSON ({_reason(failure)}); {advice}") from failure
    return check_entries(entries, schema, what, error, advice)


def check_entries(
    entries: object, schema: Schema, what: str, error: type[BrixiaEdgeError], advice: str
) -> dict[str, Any]:
    """Hold to its schema what was parsed already; see `parse_document`."""
    if _is_deeper(entries, _DEEPEST):
        raise error(f"{what} is nested too deep, {_DEEPEST} levels are allowed; {advice}")
    if faults := list(islice(_faults(entries, schema), _SHOWN_ERRORS)):
        raise error(f"{what} {'; it '.join(faults)}; {advice}")
    return cast(dict[str, Any], entries)


def _is_deeper(entries: object, levels: int) -> bool:
    """Whether lists and objects stand within each other more often than that."""
    level = [entries]
    for _ in range(levels + 1):
        level = [inner for value in level for inner in _within(value)]
    return bool(level)


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast(dict[str, object], value).values()
    return cast(list[object], value) if isinstance(value, list) else ()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry stands twice")
    return entries


def _constant(name: str) -> None:
    """Take the word for a number that is none, which earlier versions wrote, for null."""
    if name != "NaN":
        raise ValueError(f"{name} is no number")


def _reason(failure: ValueError) -> str:
    if isinstance(failure, json.JSONDecodeError):
        return f"line {failure.lineno}"
    return "it is no text" if isinstance(failure, UnicodeError) else str(failure)


def _faults(entries: object, schema: Schema) -> Iterator[str]:
    """What is wrong, one phrase each; of a wrong schema version nothing else is told."""
    found: list[Any] = list(islice(_validator()(schema).iter_errors(entries), _FOUND_ERRORS))
    versions = [fault for fault in found if list(fault.absolute_path) == ["schema_version"]]
    told: dict[str, None] = {}
    for fault in versions or found:
        told[_phrase(fault)] = None
    yield from told


@cache
def _validator() -> Any:
    """The class that holds documents to schemas."""
    jsonschema: Any = import_library("jsonschema")
    base: Any = jsonschema.Draft202012Validator
    strict = base.TYPE_CHECKER.redefine("integer", _is_whole)
    return jsonschema.validators.extend(base, type_checker=strict)


def _is_whole(_: object, value: object) -> bool:
    """Whether Python takes a number for whole; JSON Schema takes 1.0 for it, too."""
    return type(value) is int


def _phrase(fault: Any) -> str:
    """Say what is wrong: the entry, its value and what is allowed."""
    where = "/".join(map(str, fault.absolute_path))
    place = f" in {shortened(where)}" if where else ""
    if fault.validator == "required":
        missing = sorted(set(fault.validator_value) - fault.instance.keys())
        return f"lacks {', '.join(missing)}{place}"
    if fault.validator == "additionalProperties":
        unknown = sorted(fault.instance.keys() - fault.schema["properties"].keys())
        return f"has unknown entries {shortened(', '.join(unknown))}{place}"
    if fault.validator in ("maxProperties", "maxItems", "minItems"):
        return f"has {len(fault.instance)} entries{place}; {fault.validator_value} are allowed"
    named = "propertyNames" in fault.absolute_schema_path
    what = (
        f"the name {shortened(repr(fault.instance))}" if named else shortened(repr(fault.instance))
    )
    name = "" if named or not where else f"{shortened(where)} "
    return f"has {name}{what}{place if named else ''}; allowed is {_told(fault.schema)}"


def _told(schema: Schema) -> str:
    """What a schema allows, in words."""
    return str(schema.get("description", _KINDS.get(schema.get("type", ""), "something else")))
