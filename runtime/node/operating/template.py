"""The commented ``node.toml`` of `brixia-edge node init`, and the reference of all keys."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from ..configuration import LISTS, TABLES, TlsSection
from ..values import Kind

_TITLE = """\
# The configuration of a brixia-edge node. What is commented out shows the default.
# RESEARCH USE ONLY - not for diagnostic use.
"""


def commented_toml() -> str:
    """A ``node.toml`` with every key, its meaning and its default."""
    lines = [_TITLE]
    for name, kind in TABLES.items():
        lines += [f"[{name}]", *_keys(kind), ""]
        if any(member.name == "tls" for member in fields(kind)):
            lines += [f"# [{name}.tls]", *_keys(TlsSection, required=False), ""]
    for name, (_, kind) in LISTS.items():
        lines += [f"[[{name}]]", *_keys(kind), ""]
    return "\n".join(lines)


def reference() -> str:
    """Every key as a Markdown table a section, for the docs."""
    parts: list[str] = []
    for title, kind in _sections():
        rows = (
            f"| {' | '.join((f'`{member.name}`', *_told(member)))} |" for member in _members(kind)
        )
        parts += [f"### {title}", "", "| key | allowed | default | meaning |", "|---|---|---|---|"]
        parts += [*rows, ""]
    return "\n".join(parts).rstrip() + "\n"


def _sections() -> Iterator[tuple[str, type]]:
    for name, kind in TABLES.items():
        yield f"[{name}]", kind
        if any(member.name == "tls" for member in fields(kind)):
            yield f"[{name}.tls]", TlsSection
    for name, (_, kind) in LISTS.items():
        yield f"[[{name}]]", kind


def _members(kind: type) -> "Iterator[Field[Any]]":
    return (member for member in fields(kind) if "kind" in member.metadata)


def _keys(kind: type, required: bool = True) -> Iterator[str]:
    for member in _members(kind):
        yield f"# {_meaning(member)}"
        if required and member.metadata["example"]:
            yield f"{member.name} = {member.metadata['example']}"
        else:
            yield f"# {member.name} = {_toml(member.metadata['default'])}"


def _told(member: "Field[Any]") -> tuple[str, str, str]:
    kind: Kind = member.metadata["kind"]
    return kind.allowed, _default(member), _meaning(member)


def _meaning(member: "Field[Any]") -> str:
    return str(member.metadata["meaning"])


def _default(member: "Field[Any]") -> str:
    default = member.metadata["default"]
    return "required" if default is MISSING else f"`{_toml(default)}`"


def _toml(value: Any) -> str:
    """JSON's texts, numbers, truths and lists are TOML's, too."""
    return json.dumps(value)
