"""Secrets that systemd hands to the node: files that the service's user could not read itself.

A unit's ``LoadCredential=NAME:PATH`` copies root's file PATH to ``$CREDENTIALS_DIRECTORY/NAME``,
for this service alone. `credential_name` makes NAME of PATH, so that a file of the configuration
is looked for there first, and no other can take its place.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .configuration import Configuration

DIRECTORY = "CREDENTIALS_DIRECTORY"
"""The variable of systemd.exec(5)."""

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")


def credential_name(path: Path) -> str:
    """The name of a file's credential.

    Its path without the leading slash; what is no ASCII letter, digit, point or hyphen as ``_`` and
    two hexadecimal digits a byte: ``/etc/brixia-edge/token`` is ``etc_2fbrixia-edge_2ftoken``.
    """
    told = str(path).lstrip("/").encode()
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"_{byte:02x}" for byte in told)


def secret_files(configuration: Configuration) -> tuple[Path, ...]:
    """The files that a configuration names and that root may keep to itself, each once."""
    return tuple(dict.fromkeys(_named(configuration)))


def _named(configuration: Configuration) -> Iterator[Path]:
    tls = configuration.node.tls
    tokens = (each.token_file for each in configuration.destinations)
    for path in (configuration.http.token_file, tls.cert, tls.key, tls.client_ca, *tokens):
        if path is not None:
            yield path


def with_credentials(configuration: Configuration, folder: str) -> Configuration:
    """Take from a folder of credentials what lies there, and leave the rest where it is.

    Parameters
    ----------
    configuration
        As it was read.
    folder
        ``$CREDENTIALS_DIRECTORY``; empty where systemd handed nothing over.
    """
    if not folder:
        return configuration

    def found(path: Path | None) -> Path | None:
        credential = None if path is None else Path(folder) / credential_name(path)
        return credential if credential is not None and credential.is_file() else path

    node, http = configuration.node, configuration.http
    tls = replace(
        node.tls,
        cert=found(node.tls.cert),
        key=found(node.tls.key),
        client_ca=found(node.tls.client_ca),
    )
    return replace(
        configuration,
        node=replace(node, tls=tls),
        http=replace(http, token_file=found(http.token_file)),
        destinations=tuple(
            replace(each, token_file=found(each.token_file)) for each in configuration.destinations
        ),
    )
