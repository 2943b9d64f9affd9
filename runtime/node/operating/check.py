"""`brixia-edge node check`: whether the node could run, found out without changing anything."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ...backends import AUTO, BACKENDS
from ...bundles.bundle import Bundle
from ...errors import BrixiaEdgeError
from ..configuration import Configuration, DestinationSection
from ..models.installed import bundle_in_use
from ..receiving.server import server_tls
from ..sending.dimse import DimseTransport
from .disk import Disk

_EARLIEST = datetime(2025, 1, 1, tzinfo=timezone.utc)
"""A clock before this was never set; certificates and dates of answers would be wrong."""


@dataclass(frozen=True)
class Checked:
    """One thing that was looked at."""

    subject: str
    ok: bool
    detail: str


def check(configuration: Configuration) -> Iterator[Checked]:
    """Look at everything that a node needs, one after the other."""
    yield _folder(configuration)
    yield _disk(configuration)
    yield _clock()
    yield _model(configuration)
    yield _backend(configuration)
    yield _tls(configuration)
    for source in configuration.sources:
        where = source.host or "anywhere"
        yield Checked(f"source {source.ae_title}", True, f"may send from {where}")
    for destination in configuration.destinations:
        yield _destination(configuration, destination)


def _folder(configuration: Configuration) -> Checked:
    folder = configuration.node.data
    there = _nearest(folder)
    writable = os.access(there, os.W_OK)
    detail = f"{folder} {'can' if writable else 'cannot'} be written by this user"
    return Checked("data", writable, detail)


def _nearest(folder: Path) -> Path:
    """The folder, or what of the way to it exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _disk(configuration: Configuration) -> Checked:
    disk = Disk(_nearest(configuration.node.data), configuration.node.reserve)
    detail = (
        f"{disk.free() / 1e9:.1f} GB free, {configuration.node.reserve / 1e9:.1f} GB are reserved"
    )
    return Checked("disk", disk.has_room(), detail)


def _clock() -> Checked:
    now = datetime.now(timezone.utc)
    return Checked("clock", now > _EARLIEST, f"{now:%Y-%m-%d %H:%M} UTC")


def _model(configuration: Configuration) -> Checked:
    """The bundle by which the node will score: the one that was installed last, if any was."""
    score = configuration.score
    try:
        path, installed = bundle_in_use(configuration.node.data, score.bundle)
        bundle = Bundle.open(path)
    except BrixiaEdgeError as error:
        return Checked("model", False, str(error))
    model = bundle.identity
    origin = "installed by `node model`" if installed else "of the configuration"
    told = f"{model.name}, {model.kind}, {bundle.digest[:12]}, verified, {origin}"
    return Checked("model", True, told)


def _backend(configuration: Configuration) -> Checked:
    wanted = configuration.score.backend
    rows = {row.name: row for row in BACKENDS}
    if wanted == AUTO:
        return Checked("backend", True, "auto")
    if wanted not in rows:
        return Checked("backend", False, f"{wanted!r} is none; known are {', '.join(rows)}")
    missing = rows[wanted].missing
    detail = f"{wanted} needs {', '.join(missing)}: {rows[wanted].install}" if missing else wanted
    return Checked("backend", not missing, detail)


def _tls(configuration: Configuration) -> Checked:
    try:
        encrypted = server_tls(configuration.node.tls) is not None
    except BrixiaEdgeError as error:
        return Checked("TLS", False, str(error))
    return Checked("TLS", True, "on" if encrypted else "off")


def _destination(configuration: Configuration, destination: DestinationSection) -> Checked:
    subject = f"destination {destination.name}"
    try:
        if destination.kind == "stow":
            from ..sending.stow import StowTransport

            reason = StowTransport(destination).echo()
        else:
            section = configuration.node
            reason = DimseTransport(section.ae_title, destination, section.tls).echo()
    except BrixiaEdgeError as error:
        reason = str(error)
    return Checked(subject, not reason, reason or "answers")
