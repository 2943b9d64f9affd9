"""The systemd unit: started at boot, watched, and allowed no more than its configuration needs."""

import sys
from collections.abc import Iterator
from pathlib import Path

from ...errors import ConfigurationError
from ..configuration import Configuration
from ..credentials import credential_name, secret_files

_STATE = Path("/var/lib")
"""Where systemd makes a folder for a user that exists only while the service runs."""

USER = "brixia-edge"
"""Who runs the service where its data lie elsewhere: such a user cannot own anything there."""

_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp", "/dev", "/proc", "/sys")  # noqa: S108
"""What the unit does not let the service see, or not as others do (systemd.exec(5))."""

_PRIVILEGED_PORTS = 1024
_LONGEST_NAME = 255  # NAME_MAX of a credential

_BEGINNING = """\
[Unit]
Description=brixia-edge node (research use only)
Documentation=man:systemd.unit(5)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
"""

_END = """\
Restart=always
RestartSec=2
WatchdogSec=60
TimeoutStopSec=40
KillMode=mixed
OOMPolicy=continue
UMask=0077
LimitNOFILE=4096
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
PrivateTmp=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @obsolete

[Install]
WantedBy=multi-user.target
"""


def systemd_unit(path: Path, configuration: Configuration, gpu: bool = False) -> str:
    """Write the unit for a configuration.

    Parameters
    ----------
    path
        Of the ``node.toml``.
    configuration
        What stands in it.
    gpu
        Whether the network runs on a GPU, whose devices the node must see then.

    Raises
    ------
    ConfigurationError
        The service could not see or write a path, or a path cannot stand in a unit.
    """
    path = path.absolute()
    score = configuration.score
    for what, each in (("configuration", path), ("bundle", score.bundle), ("shadow", score.shadow)):
        if each is not None:
            _check_visible(what, each)
    lines = [
        f"ExecStart={_word(sys.executable)} -m brixia_edge.runtime node run "
        f"--config {_word(path).replace('$', '$$')}",
        *_data(configuration.node.data),
        *_credentials(configuration),
        *_capabilities(configuration),
        # A GPU's devices have no fixed names, so that none can be listed.
        f"PrivateDevices={'no' if gpu else 'yes'}",
    ]
    return "".join((_BEGINNING, *(f"{line}\n" for line in lines), _END))


def hidden_python() -> str:
    """Where Python lies, if the service could not see it there; else empty."""
    places = (Path(sys.executable), Path(sys.executable).resolve(), Path(sys.prefix))
    return next((str(place) for place in places if _hiding(place)), "")


def _data(folder: Path) -> Iterator[str]:
    """Who runs the service, and where it may write."""
    _check_visible("data", folder)
    if not folder.is_relative_to(_STATE):
        yield f"# Made once, by root: useradd --system {USER}"
        yield f"# and: install -d -o {USER} -g {USER} -m 700 {_word(folder)}"
        yield f"User={USER}"
        yield f"Group={USER}"
        yield f"ReadWritePaths={_word(folder)}"
        return
    name = folder.relative_to(_STATE)
    if not name.parts or name.parts[0] == "private" or ":" in str(name):
        raise ConfigurationError(
            f"[node]: data is {folder}, for which systemd cannot make a folder; name one such as "
            f"{_STATE / 'brixia-edge'}"
        )
    yield "DynamicUser=yes"
    yield f"StateDirectory={_word(name)}"
    yield "StateDirectoryMode=0700"


def _credentials(configuration: Configuration) -> Iterator[str]:
    """Systemd reads them as root: the service's user need not be able to."""
    for path in secret_files(configuration):
        _check_writable(path)
        name = credential_name(path)
        if len(name) > _LONGEST_NAME:
            raise ConfigurationError(f"{path} is too long for a unit; give the file a shorter path")
        yield f"LoadCredential={name}:{_doubled(path)}"


def _capabilities(configuration: Configuration) -> Iterator[str]:
    """None, but where a port below 1024 is listened on, such as DICOM's 104."""
    ports = (configuration.node.listen.port, configuration.http.listen.port)
    needed = "CAP_NET_BIND_SERVICE" if min(ports) < _PRIVILEGED_PORTS else ""
    yield f"CapabilityBoundingSet={needed}"
    yield f"AmbientCapabilities={needed}"
    # Among users of its own the service would have no rights over the machine's ports.
    yield f"PrivateUsers={'no' if needed else 'yes'}"


def _check_visible(what: str, path: Path) -> None:
    _check_writable(path)
    place = _hiding(path) or _hiding(path.resolve())
    if place:
        raise ConfigurationError(
            f"{what} is {path}, and the unit hides {place} from the service; put it elsewhere, "
            "such as below /var/lib, /srv, /etc or /opt"
        )


def _check_writable(path: Path) -> None:
    """Refuse a path that a unit cannot hold, or that systemd would not take for this one."""
    if not path.is_absolute() or ".." in path.parts:
        raise ConfigurationError(
            f"{path} is no whole path; a service has no folder of its own to begin at: begin with /"
        )
    if not str(path).isprintable():
        raise ConfigurationError(
            f"{str(path)!r} has characters that cannot stand in a unit; rename it"
        )


def _hiding(path: Path) -> str:
    return next((place for place in _HIDDEN if path.is_relative_to(place)), "")


def _word(path: Path | str) -> str:
    """One word of a unit: % doubled, and quoted where systemd would cut it or take it apart."""
    text = _doubled(path)
    if not any(character in text for character in " \t\"'\\;$"):
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _doubled(path: Path | str) -> str:
    return str(path).replace("%", "%%")
