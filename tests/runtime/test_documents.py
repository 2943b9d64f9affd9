"""Documents of strangers are held to their schema, and told off in words a user understands."""

import os
from pathlib import Path
from typing import Any

import pytest
from brixia_edge.runtime.documents import (
    LARGEST_DOCUMENT,
    RELATIVE_PATH,
    SHA256,
    TEXT,
    exactly,
    having,
    list_of,
    map_of,
    number,
    one_of,
    optional,
    parse_document,
    read_document,
    version,
    whole,
)
from brixia_edge.runtime.errors import BundleError

SCHEMA = exactly(
    {
        "schema_version": version(1),
        "count": whole(1, 9),
        "files": map_of(SHA256, 2, RELATIVE_PATH),
        "times": list_of(number(0), most=2),
        "kind": one_of("a", "b"),
        "note": optional(TEXT),
    }
)
GOOD: dict[str, Any] = {
    "schema_version": 1,
    "count": 3,
    "files": {"a/b.c": "0" * 64},
    "times": [1, 2.5],
    "kind": "a",
    "note": None,
}


def parse(text: bytes | str) -> dict[str, Any]:
    return parse_document(text, SCHEMA, "it", BundleError, "mend it")


def with_entry(name: str, value: str) -> str:
    entries = {key: repr(entry).replace("'", '"') for key, entry in GOOD.items()}
    entries |= {"note": "null", name: value}
    return "{" + ", ".join(f'"{key}": {entry}' for key, entry in entries.items()) + "}"


def test_what_follows_its_schema_is_taken_as_it_is() -> None:
    assert parse(with_entry("note", "null")) == GOOD
    assert parse(with_entry("note", '"x"').encode())["note"] == "x"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("schema_version", "2", "has schema_version 2; allowed is 1, which this brixia-edge reads"),
        ("schema_version", "true", "has schema_version True"),
        ("count", "10", "has count 10; allowed is a whole number from 1 to 9"),
        ("count", "3.0", "has count 3.0"),
        ("count", "true", "has count True"),
        ("count", "9" * 4000, r"has count 9{80}\.\.\.; allowed"),
        ("count", "9" * 5000, "is not JSON"),
        ("count", "NaN", "has count None"),
        ("count", "Infinity", "is not JSON"),
        ("times", "[1e999]", "has times/0 inf; allowed is a number from 0 to"),
        ("times", "[1, 2, 3]", "has 3 entries in times; 2 are allowed"),
        ("times", "[false]", "has times/0 False"),
        ("files", '{"../a": ""}', r"has the name '\.\./a' in files; allowed is a path below"),
        ("files", '{"a/./b": ""}', "has the name"),
        ("files", '{"/a": ""}', "has the name"),
        ("files", '{"a//b": ""}', "has the name"),
        ("files", '{"": ""}', "has the name"),
        ("files", '{"a\\\\b": ""}', "has the name"),
        ("files", f'{{"a": "{"0" * 64}\\n"}}', "has files/a"),
        ("files", '{"a": "A", "a": "A"}', r"is not JSON \(an entry stands twice\)"),
        ("kind", '"c"', "has kind 'c'; allowed is a, b"),
        ("kind", "[]", r"has kind \[\]; allowed is a, b"),
        ("note", '"a\\u0000b"', "has note"),
        ("note", '"a\\ud800b"', "has note"),
        ("note", "5", "has note 5; allowed is null, or a text"),
        ("other", "1", "has unknown entries other"),
    ],
)
def test_each_fault_is_told_with_its_value_and_what_is_allowed(
    name: str, value: str, told: str
) -> None:
    with pytest.raises(BundleError, match=f"^it {told}.*; mend it$"):
        parse(with_entry(name, value))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"5", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"null", '"\ud800"'],
)
def test_what_is_no_document_is_refused(content: bytes | str) -> None:
    with pytest.raises(BundleError, match=r"^it .*; mend it$"):
        parse(content)


def test_a_document_full_of_faults_is_told_off_in_a_few_words() -> None:
    faults = ", ".join(f'"{"x" * 200}{number}": 1' for number in range(50_000))
    with pytest.raises(BundleError) as told:
        parse("{" + faults + "}")
    assert len(str(told.value)) < 1000


@pytest.mark.parametrize("levels", [30, 300])
def test_free_entries_are_not_nested_deeper_than_can_be_worked_with(levels: int) -> None:
    schema = having({"options": {"type": "object"}})
    assert parse_document(nested(10), schema, "it", BundleError, "mend it").keys() == {"options"}
    with pytest.raises(BundleError, match=r"^it is nested too deep, 20 levels .*; mend it$"):
        parse_document(nested(levels), schema, "it", BundleError, "mend it")


def nested(levels: int) -> str:
    return '{"options": ' * levels + "{}" + "}" * levels


def test_a_message_holds_nothing_that_steers_a_terminal() -> None:
    with pytest.raises(BundleError) as told:
        parse(with_entry("kind", '"\\u001b[2J\\n"'))
    assert str(told.value).isprintable()


def test_further_entries_are_left_alone_where_they_may_be() -> None:
    schema = having({"a": whole(0, 1)})
    assert parse_document('{"a": 1, "b": {}}', schema, "it", BundleError, "") == {"a": 1, "b": {}}


def test_only_regular_files_of_a_limited_length_are_documents(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").touch()
    os.truncate(tmp_path / "long", LARGEST_DOCUMENT + 1)
    for name, told in (("pipe", "no regular file"), ("long", "longer than"), ("none", "No such")):
        with pytest.raises(BundleError, match=f"{name} cannot be read: .*{told}.*; mend it"):
            read_document(tmp_path / name, SCHEMA, BundleError, "mend it")
