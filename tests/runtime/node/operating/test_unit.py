"""The systemd unit lets the service do what its configuration needs, and nothing else."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from brixia_edge.runtime.errors import ConfigurationError
from brixia_edge.runtime.node.configuration import parse_configuration
from brixia_edge.runtime.node.credentials import credential_name
from brixia_edge.runtime.node.operating.unit import systemd_unit

ETC = Path("/etc/brixia-edge")
PLAIN = '[[source]]\nae_title = "XR1"\n'
SECRETS = f"""
[node]
listen = "0.0.0.0:104"
data = "/var/lib/ward 9/100%"
[node.tls]
cert = "{ETC}/node.crt"
key = "{ETC}/the key.pem"
client_ca = "{ETC}/ca.pem"
[http]
token_file = "{ETC}/token"
[[destination]]
name = "cloud"
kind = "stow"
url = "https://pacs.example/dicomweb"
token_file = "{ETC}/100%/token"
{PLAIN}"""
ELSEWHERE = f'[node]\ndata = "/srv/big disk/100% of it"\n{PLAIN}'
CONFIGURATIONS = {"plain": PLAIN, "secrets, port 104": SECRETS, "data elsewhere": ELSEWHERE}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def unit(text: str, path: Path = ETC / "node.toml", gpu: bool = False) -> str:
    return systemd_unit(path, parse_configuration(text.encode()), gpu)


@pytest.fixture
def analyze(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """What `systemd-analyze` says of a unit."""

    def run(text: str, *words: str) -> "subprocess.CompletedProcess[str]":
        path = tmp_path / "brixia-edge.service"
        path.write_text(text)
        command = [shutil.which("systemd-analyze") or "", *words, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@needs_systemd
@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_systemd_takes_the_unit(
    analyze: Callable[..., "subprocess.CompletedProcess[str]"], text: str, gpu: bool
) -> None:
    done = analyze(unit(text, ETC / "a ward's $1 100%.toml", gpu), "verify")
    assert "brixia-edge.service" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


@needs_systemd
@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_little_is_exposed(
    analyze: Callable[..., "subprocess.CompletedProcess[str]"], text: str
) -> None:
    done = analyze(unit(text), "security", "--offline=true")
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze does not judge files")
    found = re.search(r"Overall exposure level.*: ([\d.]+) (\w+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert found[2] == "OK", done.stdout


def test_a_folder_below_var_lib_is_made_for_a_passing_user() -> None:
    lines = unit(SECRETS).splitlines()
    assert {"DynamicUser=yes", 'StateDirectory="ward 9/100%%"'} <= {*lines}
    assert "ReadWritePaths" not in unit(SECRETS)


def test_a_folder_elsewhere_is_a_standing_users() -> None:
    lines = unit(ELSEWHERE).splitlines()
    expected = {"User=brixia-edge", 'ReadWritePaths="/srv/big disk/100%% of it"'}
    assert expected <= {*lines}
    assert "DynamicUser=yes" not in lines
    assert "StateDirectory" not in unit(ELSEWHERE)


def test_systemd_hands_over_every_secret_by_its_path() -> None:
    found = [line for line in unit(SECRETS).splitlines() if line.startswith("LoadCredential=")]
    assert sorted(found) == sorted(
        [
            f"LoadCredential=etc_2fbrixia-edge_2fnode.crt:{ETC}/node.crt",
            f"LoadCredential=etc_2fbrixia-edge_2fthe_20key.pem:{ETC}/the key.pem",
            f"LoadCredential=etc_2fbrixia-edge_2fca.pem:{ETC}/ca.pem",
            f"LoadCredential=etc_2fbrixia-edge_2ftoken:{ETC}/token",
            f"LoadCredential=etc_2fbrixia-edge_2f100_25_2ftoken:{ETC}/100%%/token",
        ]
    )
    assert "LoadCredential" not in unit(PLAIN)


def test_no_two_files_have_one_credential() -> None:
    paths = ("/etc/a/b", "/etc/a-b", "/etc/a_2fb", "/etc/a.b", "/etc/ä", "/etc/A/b")
    assert len({credential_name(Path(path)) for path in paths}) == len(paths)


def test_only_a_port_below_1024_needs_a_right() -> None:
    assert {"CapabilityBoundingSet=", "AmbientCapabilities=", "PrivateUsers=yes"} <= {
        *unit(PLAIN).splitlines()
    }
    assert {"AmbientCapabilities=CAP_NET_BIND_SERVICE", "PrivateUsers=no"} <= {
        *unit(SECRETS).splitlines()
    }


def test_the_unit_keeps_its_guards() -> None:
    # A scoring process that takes too much memory must not end the node.
    guards = {"ProtectSystem=strict", "Type=notify", "OOMPolicy=continue", "PrivateDevices=yes"}
    for text in CONFIGURATIONS.values():
        assert guards <= {*unit(text).splitlines()}
    assert "PrivateDevices=no" in unit(PLAIN, gpu=True)


def test_words_are_quoted_as_systemd_reads_them() -> None:
    (line,) = [each for each in unit(PLAIN, ETC / 'a "$x" %.toml').splitlines() if "Exec" in each]
    assert line.endswith(f'--config "{ETC}/a \\"$$x\\" %%.toml"')


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("/home/ward/data", "hides /home"),
        ("/root/data", "hides /root"),
        ("/tmp/data", "hides /tmp"),  # noqa: S108 - refused
        ("/var/tmp/data", "hides /var/tmp"),  # noqa: S108 - refused
        ("/var/lib", "cannot make a folder"),
        ("/var/lib/private/x", "cannot make a folder"),
        ("/var/lib/../../root/x", "no whole path"),
        ("data", "no whole path"),
        ("/srv/a\\nb", "cannot stand in a unit"),
    ],
)
def test_data_that_the_service_could_not_use_are_refused(data: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        unit(f'[node]\ndata = "{data}"\n{PLAIN}')


def test_what_a_link_hides_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leads_home(_: Path) -> Path:
        return Path("/home/ward/data")

    monkeypatch.setattr(Path, "resolve", leads_home)
    with pytest.raises(ConfigurationError, match="hides /home"):
        unit(ELSEWHERE)


@pytest.mark.parametrize("text", [f'[score]\n{key} = "/root/b"\n' for key in ("bundle", "shadow")])
def test_a_bundle_that_the_service_could_not_see_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="hides /root"):
        unit(text + PLAIN)
