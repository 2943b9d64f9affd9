"""The node's configuration: what is allowed is taken, everything else is told with what is."""

from pathlib import Path

import pytest
from brixia_edge.runtime.errors import ConfigurationError
from brixia_edge.runtime.node.configuration import load_configuration, parse_configuration
from brixia_edge.runtime.node.operating.template import commented_toml, reference
from brixia_edge.runtime.node.values import Address

SOURCE = '[[source]]\nae_title = "XR1"\n'
ROOT = Path(__file__).parents[2]


def test_the_issues_example_is_read() -> None:
    text = """
[node]
ae_title = "BRIXIA"
listen = "127.0.0.1:11112"
data = "/var/lib/brixia-edge"
reserve = "5GB"
retention = "7d"
accept = "chest"
order = "newest"
[http]
listen = "127.0.0.1:8080"
token_file = "/etc/brixia-edge/token"
[score]
bundle = ""
backend = "auto"
[[source]]
ae_title = "XR1"
host = "127.0.0.1"
[[destination]]
name = "pacs"
kind = "dimse"
ae_title = "PACS"
host = "127.0.0.1"
port = 4242
send = ["sr", "capture"]
commit = false
"""
    found = parse_configuration(text.encode())
    assert found.node.reserve == 5_000_000_000
    assert found.node.retention == 7 * 24 * 3600
    assert found.node.listen == Address("127.0.0.1", 11112)
    assert found.score.bundle is None
    assert found.destinations[0].send == ("sr", "capture")
    assert [source.ae_title for source in found.callers] == ["XR1"]


def test_the_commented_file_is_a_configuration_and_names_every_default() -> None:
    found = parse_configuration(commented_toml().encode())
    every = "\n".join(
        line.removeprefix("# ") if " = " in line and line.startswith("# ") else line
        for line in commented_toml().splitlines()
    )
    assert parse_configuration(every.replace("# [node.tls]", "[node.tls]").encode()) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[node]\nreserve = 5\n", r"\[node\]: reserve is 5; allowed is a size such as"),
        ('[node]\nreserve = "5 pints"\n', "reserve is '5 pints'"),
        ('[node]\ndata = ""\n', "data is ''; allowed is the path of a folder"),
        (
            '[[destination]]\nname = "p"\ntimeout = 0\n',
            "timeout is 0; allowed is a number of seconds",
        ),
        ('[node]\nretention = "7"\n', "allowed is a duration"),
        ('[node]\nlisten = "127.0.0.1"\n', "allowed is a host and a port"),
        ('[node]\nlisten = "127.0.0.1:70000"\n', "listen is"),
        ('[node]\nae_title = "SEVENTEEN LETTERS"\n', "1 to 16 characters"),
        ('[node]\npromiscuous = "yes"\n', "allowed is true or false"),
        ("[node]\nassociations = true\n", "a whole number from 1"),
        ('[node]\nreserved = "5GB"\n', "unknown key 'reserved'; known are"),
        ("[nodes]\n", "unknown section 'nodes'"),
        ("node = 3\n", "no section of keys"),
        ('source = "XR1"\n', "double brackets"),
        ("[[source]]\n", "lacks ae_title"),
        (SOURCE + '[[destination]]\nname = "pacs"\n', "lacks ae_title and host"),
        (SOURCE + '[[destination]]\nname = "p"\nkind = "stow"\n', "lacks url"),
        (SOURCE + '[node.tls]\ncert = "a.pem"\n', "cert and key belong together"),
        ("", r"names no \[\[source\]\]"),
        ("[node\n", "is no TOML"),
        ("a = " + "[" * 5000, "is no TOML"),
    ],
)
def test_what_is_not_allowed_is_told_with_what_is(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        parse_configuration(text.encode())


def test_two_destinations_of_one_name_are_refused() -> None:
    one = '[[destination]]\nname = "p"\nae_title = "A"\nhost = "h"\n'
    with pytest.raises(ConfigurationError, match="two destinations are called 'p'"):
        parse_configuration((SOURCE + one + one).encode())


def test_a_file_that_is_absent_or_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="node init"):
        load_configuration(tmp_path / "node.toml")
    long = tmp_path / "long.toml"
    long.write_text("#" * (2**20 + 1))
    with pytest.raises(ConfigurationError, match="longer than"):
        load_configuration(long)


def test_the_reference_in_the_docs_is_the_codes() -> None:
    page = (ROOT.parent / "docs" / "node-configuration.md").read_text(encoding="utf-8")
    assert reference() in page
