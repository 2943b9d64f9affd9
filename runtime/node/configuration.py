"""The node's configuration: one table of keys, from which everything else about them is made.

Each field below is a key of ``node.toml``, with its kind, its default and its meaning. Loading,
checking, the commented file of `brixia-edge node init` and the reference in the docs read them.
"""

import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from ..errors import ConfigurationError
from .values import (
    ADDRESS,
    AE_TITLE,
    DURATION,
    FLAG,
    FOLDER,
    PATH,
    PORT,
    SECONDS,
    SIZE,
    TEXT,
    WHOLE,
    Address,
    Kind,
    choice,
    several,
)

LONGEST_FILE = 2**20
"""Bytes of a configuration; longer files are something else."""


def entry(kind: Kind, meaning: str, default: Any = MISSING, example: str = "") -> Any:
    """One key: its default as TOML holds it, and how to write it where there is none.

    Parameters
    ----------
    kind
        What is allowed.
    meaning
        What it is for, one sentence.
    default
        As TOML would hold it; without one the key is required.
    example
        What `node init` writes for it, as TOML; the default where it is empty.
    """
    metadata = {"kind": kind, "meaning": meaning, "default": default, "example": example}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default_factory=lambda: kind.read(default), metadata=metadata)


@dataclass(frozen=True)
class TlsSection:
    """Files for TLS; empty `cert` means without."""

    cert: Path | None = entry(PATH, "Our certificate (PEM).", "")
    key: Path | None = entry(PATH, "Its private key (PEM).", "")
    client_ca: Path | None = entry(
        PATH, "Certificates (PEM) that a caller's must be signed by.", ""
    )

    @property
    def wanted(self) -> bool:
        """Whether connections are encrypted."""
        return self.cert is not None


@dataclass(frozen=True)
class NodeSection:
    """The node itself: how it is called, where it listens, what it keeps."""

    ae_title: str = entry(AE_TITLE, "The AE title by which modalities must call it.", "BRIXIA")
    listen: Address = entry(ADDRESS, "Where it listens for DICOM.", "127.0.0.1:11112")
    data: Path = entry(FOLDER, "The folder of all that it keeps.", "/var/lib/brixia-edge")
    reserve: int = entry(SIZE, "Below this much free disk no images are taken.", "5GB")
    retention: int = entry(DURATION, "How long an image stays after its answer arrived.", "7d")
    accept: str = entry(
        choice("chest", "all"), "all: store other objects too, unscored, as ignored.", "chest"
    )
    order: str = entry(choice("newest", "received"), "Which image is scored first.", "newest")
    promiscuous: bool = entry(
        FLAG, "Take images from callers that no [[source]] names. For tests alone.", False
    )
    largest: int = entry(SIZE, "The largest image that is taken.", "256MB")
    associations: int = entry(WHOLE, "Callers at a time.", 20)
    associations_of_a_host: int = entry(WHOLE, "Callers at a time from one address.", 5)
    tls: TlsSection = field(default_factory=TlsSection)


@dataclass(frozen=True)
class HttpSection:
    """The page, the interface for programs and the metrics."""

    listen: Address = entry(ADDRESS, "Where it listens for HTTP.", "127.0.0.1:8080")
    token_file: Path | None = entry(
        PATH, "A file with the token that all but /health asks for; empty for none.", ""
    )
    largest: int = entry(SIZE, "The largest upload that is taken.", "256MB")
    show_names: bool = entry(FLAG, "Show patients by their ID instead of a digest.", False)


@dataclass(frozen=True)
class ScoreSection:
    """What scores."""

    bundle: Path | None = entry(PATH, "The bundle; empty for the one that ships.", "")
    backend: str = entry(TEXT, "As brixia-edge score --backend.", "auto")
    threads: int | None = entry(
        Kind("a whole number; 0 for all cores", lambda value: WHOLE.read(value) if value else None),
        "CPU threads; 0 for all cores.",
        0,
    )
    shadow: Path | None = entry(
        PATH, "A second bundle that scores the same images and answers nobody.", ""
    )
    verification_key: Path | None = entry(
        PATH, "A public key (PEM) that bundles to install must be signed for.", ""
    )


@dataclass(frozen=True)
class SourceSection:
    """A modality that may send images."""

    ae_title: str = entry(AE_TITLE, "How it calls itself.", example='"XR1"')
    host: str = entry(TEXT, "Its address or its name; empty for any.", "")


@dataclass(frozen=True)
class DestinationSection:
    """Where answers go."""

    name: str = entry(TEXT, "What it is called in messages.", example='"pacs"')
    kind: str = entry(choice("dimse", "stow"), "C-STORE, or STOW-RS.", "dimse")
    ae_title: str = entry(
        Kind(AE_TITLE.allowed, lambda value: AE_TITLE.read(value) if value else ""),
        "dimse: how it is called.",
        "",
        example='"PACS"',
    )
    host: str = entry(TEXT, "dimse: its address.", "", example='"127.0.0.1"')
    port: int = entry(PORT, "dimse: its port.", 104, example="4242")
    tls: bool = entry(FLAG, "dimse: encrypt, with [node.tls]'s files.", False)
    url: str = entry(TEXT, "stow: the address of the DICOMweb service.", "")
    token_file: Path | None = entry(PATH, "stow: a file with the bearer token.", "")
    send: tuple[str, ...] = entry(
        several(choice("sr", "capture")), "Which answers it gets.", ["sr", "capture"]
    )
    commit: bool = entry(FLAG, "dimse: ask it to confirm that it keeps them.", False)
    timeout: float = entry(SECONDS, "Seconds to wait for an answer of it.", 30)


@dataclass(frozen=True)
class Configuration:
    """All of ``node.toml``."""

    node: NodeSection = field(default_factory=NodeSection)
    http: HttpSection = field(default_factory=HttpSection)
    score: ScoreSection = field(default_factory=ScoreSection)
    sources: tuple[SourceSection, ...] = ()
    destinations: tuple[DestinationSection, ...] = ()

    @property
    def callers(self) -> tuple[SourceSection, ...]:
        """Who may call: modalities, and archives that confirm what they keep."""
        confirming = (each for each in self.destinations if each.commit)
        archives = (SourceSection(each.ae_title, each.host) for each in confirming)
        return (*self.sources, *archives)


LISTS: Mapping[str, tuple[str, type]] = {
    "source": ("sources", SourceSection),
    "destination": ("destinations", DestinationSection),
}
"""Sections that stand in double brackets, as often as wanted."""

TABLES: Mapping[str, type] = {"node": NodeSection, "http": HttpSection, "score": ScoreSection}
"""Sections that stand once."""


def load_configuration(path: Path) -> Configuration:
    """Read ``node.toml``.

    Raises
    ------
    ConfigurationError
        It cannot be read, is no TOML, or a key or a value is not allowed.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error.strerror}); write one with `brixia-edge node init`"
        ) from error
    if len(content) > LONGEST_FILE:
        raise ConfigurationError(f"{path} is longer than {LONGEST_FILE} bytes: no configuration")
    return parse_configuration(content, str(path))


def parse_configuration(content: bytes, where: str = "node.toml") -> Configuration:
    """Read the text of a ``node.toml``.

    Raises
    ------
    ConfigurationError
        See `load_configuration`.
    """
    # The standard library has it from Python 3.11 on.
    toml: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        tables: dict[str, Any] = toml.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{where} is no TOML: {error}") from error
    _refuse_unknown(tables, (*TABLES, *LISTS), where, "section")
    given: dict[str, Any] = {
        name: _section(kind, tables.get(name, {}), f"{where}, [{name}]")
        for name, kind in TABLES.items()
    }
    for name, (member, kind) in LISTS.items():
        given[member] = tuple(_entries(kind, tables.get(name, []), f"{where}, [[{name}]]"))
    return _checked(Configuration(**given), where)


def _entries(kind: type, entries: Any, where: str) -> Iterable[Any]:
    if not isinstance(entries, list):
        raise ConfigurationError(f"{where} must stand in double brackets")
    for number, item in enumerate(cast(list[Any], entries), 1):
        yield _section(kind, item, f"{where} number {number}")


def _section(kind: type, table: Any, where: str) -> Any:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{where} is no section of keys and values")
    given = cast(Mapping[str, Any], table)
    members = {member.name: member for member in fields(kind)}
    _refuse_unknown(given, members, where, "key")
    values = {name: _value(members[name], value, where) for name, value in given.items()}
    for name, member in members.items():
        if name not in values and member.metadata.get("default") is MISSING:
            raise ConfigurationError(f"{where} lacks {name}: {member.metadata['meaning']}")
    return kind(**values)


def _value(member: "Field[Any]", value: Any, where: str) -> Any:
    if "kind" not in member.metadata:
        return _section(TlsSection, value, f"{where[:-1]}.{member.name}]")
    kind: Kind = member.metadata["kind"]
    try:
        return kind.read(value)
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"{where}: {member.name} is {value!r}; allowed is {kind.allowed}"
        ) from None


def _refuse_unknown(given: Iterable[str], known: Iterable[str], where: str, what: str) -> None:
    names = list(known)
    for name in given:
        if name not in names:
            raise ConfigurationError(
                f"{where} has an unknown {what} {name!r}; known are {', '.join(names)}"
            )


def _checked(configuration: Configuration, where: str) -> Configuration:
    """Refuse what no key alone shows to be wrong."""
    names = [each.name for each in configuration.destinations]
    for each in configuration.destinations:
        needed = ("ae_title", "host") if each.kind == "dimse" else ("url",)
        missing = [name for name in needed if not getattr(each, name)]
        if missing:
            raise ConfigurationError(
                f"{where}: destination {each.name!r} of kind {each.kind!r} "
                f"lacks {' and '.join(missing)}"
            )
        if names.count(each.name) > 1:
            raise ConfigurationError(f"{where}: two destinations are called {each.name!r}")
    if not configuration.sources and not configuration.node.promiscuous:
        raise ConfigurationError(
            f"{where} names no [[source]], so no modality could send anything; name one"
        )
    tls = configuration.node.tls
    if (tls.cert is None) != (tls.key is None):
        raise ConfigurationError(f"{where}, [node.tls]: cert and key belong together")
    return configuration
