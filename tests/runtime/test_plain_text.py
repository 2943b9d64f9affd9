"""What each place that a text goes to lets through."""

import json

import pytest
from brixia_edge.runtime.plain_text import json_text, markdown_text, printable, printable_lines

HOSTILE = "a\x1b[2J\udce9\u202eb\x07\x9b"
ESCAPED = "a\\x1b[2J\\udce9\\u202eb\\x07\\x9b"


def test_a_terminal_gets_one_line_of_what_is_shown() -> None:
    assert printable(f"{HOSTILE}\n\r\t") == f"{ESCAPED}\\n\\r\\t"
    assert printable("Ünïcödé 胸部 ♥") == "Ünïcödé 胸部 ♥"


def test_several_lines_stay_lines() -> None:
    assert printable_lines(f"{HOSTILE}\n\r") == f"{ESCAPED}\n\\r"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a|b", r"a\|b"),
        ("<script>", r"\<script\>"),
        ("![x](http://y)", r"!\[x\](http://y)"),
        ("`code` *b* _i_", r"\`code\` \*b\* \_i\_"),
        ("two\nlines", r"two\\nlines"),
        ("\x1b[0m", r"\\x1b\[0m"),
    ],
)
def test_markdown_is_no_markup(text: str, markdown: str) -> None:
    assert markdown_text(text) == markdown


def test_json_is_ascii_and_comes_back() -> None:
    text = json_text({"file": HOSTILE})
    assert text.isascii()
    assert json.loads(text) == {"file": HOSTILE}


def test_json_refuses_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_text([float("nan")])
