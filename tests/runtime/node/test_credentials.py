"""Files that systemd hands over are read there; all others where the configuration says."""

from pathlib import Path

import pytest
from brixia_edge.runtime.cli import main
from brixia_edge.runtime.node.configuration import parse_configuration
from brixia_edge.runtime.node.credentials import credential_name, secret_files, with_credentials
from node_doubles import free_port

TOKENS = """
[node]
data = "DATA"
reserve = "1MB"
[node.tls]
cert = "/etc/b/crt"
key = "/etc/b/key"
[http]
token_file = "/etc/b/token"
[[source]]
ae_title = "XR1"
[[destination]]
name = "cloud"
kind = "stow"
url = "http://127.0.0.1:PORT"
token_file = "/etc/b/cloud"
"""


def test_what_was_handed_over_is_taken_and_the_rest_left(tmp_path: Path) -> None:
    configuration = parse_configuration(TOKENS.replace("PORT", "1").encode())
    for name in ("key", "cloud"):
        (tmp_path / credential_name(Path("/etc/b", name))).touch()
    found = with_credentials(configuration, str(tmp_path))
    assert secret_files(found) == (
        Path("/etc/b/token"),
        Path("/etc/b/crt"),
        tmp_path / "etc_2fb_2fkey",
        tmp_path / "etc_2fb_2fcloud",
    )
    assert with_credentials(configuration, "") == configuration


def test_a_command_finds_its_token_among_the_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TOKENS.replace("PORT", str(free_port())).replace("DATA", str(tmp_path))
    (tmp_path / "node.toml").write_text(text)
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "etc_2fb_2fcloud").write_text("a token\n")

    def destination() -> str:
        main(["node", "check", "--config", str(tmp_path / "node.toml")])
        return capsys.readouterr().out.splitlines()[-1]

    assert "/etc/b/cloud cannot be read as a token" in destination()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    assert "it cannot be reached" in destination()
