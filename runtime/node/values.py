"""Values of the node's configuration: each kind checked, and told as people write it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

_SIZES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_AE_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
_LARGEST_PORT = 65535


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    Attributes
    ----------
    allowed
        What is allowed, as a half-sentence: ``a size such as "5GB"``.
    read
        Takes what TOML holds and gives the value; ValueError or TypeError when it is none.
    """

    allowed: str
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Address:
    """Where to listen or to connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _ae_title(value: object) -> str:
    if not _AE_TITLE.fullmatch(_text(value)):
        raise ValueError
    return _text(value)


def _address(value: object) -> Address:
    host, _, port = _text(value).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host:
        raise ValueError
    return Address(host, _port(int(port)))


def _port(value: object) -> int:
    number = _whole(value)
    if number > _LARGEST_PORT:
        raise ValueError
    return number


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 10**9:
        raise ValueError
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _unit(units: dict[str, int]) -> Callable[[Any], int]:
    form = re.compile(rf"(\d{{1,9}})\s*({'|'.join(units)})", re.ASCII)

    def read(value: object) -> int:
        found = form.fullmatch(_text(value))
        if found is None:
            raise ValueError
        return int(found[1]) * units[found[2]]

    return read


def _path(value: object) -> Path | None:
    text = _text(value)
    if "\0" in text:
        raise ValueError
    return Path(text) if text else None


def _folder(value: object) -> Path:
    path = _path(value)
    if path is None:
        raise ValueError
    return path


TEXT = Kind("a text", _text)
AE_TITLE = Kind("an AE title of 1 to 16 characters (PS3.5 6.2)", _ae_title)
ADDRESS = Kind('a host and a port, such as "127.0.0.1:11112"', _address)
PORT = Kind(f"a port from 1 to {_LARGEST_PORT}", _port)
WHOLE = Kind("a whole number from 1", _whole)
SECONDS = Kind("a number of seconds above 0, such as 30", _seconds)
FLAG = Kind("true or false", _flag)
SIZE = Kind('a size such as "5GB" (KB, MB, GB, TB: powers of 1000)', _unit(_SIZES))
DURATION = Kind('a duration such as "7d" (s, min, h, d)', _unit(_SECONDS))
FOLDER = Kind('the path of a folder, such as "/var/lib/brixia-edge"', _folder)
PATH = Kind("the path of a file or a folder; empty for none", _path)


def choice(*words: str) -> Kind:
    """One of some words."""

    def read(value: object) -> str:
        if value not in words:
            raise ValueError
        return _text(value)

    return Kind(" or ".join(f'"{word}"' for word in words), read)


def several(kind: Kind) -> Kind:
    """A list of values of a kind, at least one."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            raise TypeError
        return tuple(kind.read(item) for item in cast(Sequence[Any], value))

    return Kind(f"a list; each of it {kind.allowed}", read)
