"""Delivery by C-STORE (PS3.4 Annex B), one association for all that is due, and for a while."""

import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from pydicom.uid import (
    Comprehensive3DSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from ...errors import ConfigurationError, MissingExtra, pip_line
from ..configuration import DestinationSection, TlsSection
from ..receiving.spool import Spool
from ..state.rows import Delivery
from .outcome import Outcome, Verdict, of_status, permanent, transient
from .standing import StandingAssociation

try:
    import pynetdicom
except ModuleNotFoundError as error:
    raise MissingExtra.of("sending", "pynetdicom", pip_line("node")) from error

evt: Any = import_module("pynetdicom.events")
dcmread: Any = import_module("pydicom").dcmread  # its types are not whole
read_file_meta_info: Any = import_module("pydicom.filereader").read_file_meta_info
# A file that the archive takes as it is goes out as it is, not parsed and not whole in memory.
_config: Any = import_module("pynetdicom._config")
_config.STORE_SEND_CHUNKED_DATASET = True
_LONGER = 1.0  # seconds that we wait longer for a release than pynetdicom for its answer
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
_CLASSES = {"sr": Comprehensive3DSRStorage, "capture": SecondaryCaptureImageStorage}
"""SOP classes of answers, by the word for each in the configuration's `send`."""


class _Caller(pynetdicom.AE):
    """Holds no end of the process up: the thread of its connections may wait for a frozen archive.

    As it comes, pynetdicom has Python wait for that thread. It uses its internals: versions are
    pinned.
    """

    def _create_socket(self, assoc: Any, address: Any, tls_args: Any) -> Any:
        assoc.dul.daemon = True
        return super()._create_socket(assoc, address, tls_args)


class DimseTransport:
    """Sends answers to one archive.

    Parameters
    ----------
    ae_title
        Ours.
    destination
        The archive.
    tls
        Our files, used where the destination wants TLS.

    Raises
    ------
    ConfigurationError
        The files for TLS cannot be used.
    """

    def __init__(self, ae_title: str, destination: DestinationSection, tls: TlsSection) -> None:
        self._destination = destination
        self._ae_title = ae_title
        self._tls = (client_tls(tls), destination.host) if destination.tls else None
        self._classes = dict.fromkeys(str(_CLASSES[kind]) for kind in destination.send)
        self._standing = StandingAssociation(self._associate, end)

    def send(self, deliveries: Sequence[Delivery], folder: Spool) -> Mapping[int, Outcome]:
        """Try to deliver; what came of each, by its number."""
        self._propose(each.sop_class_uid for each in deliveries)
        association = self._standing.take()
        if not association.is_established:
            self._standing.give(association, keep=False)
            outcome = _not_established(association)
            return {delivery.id: outcome for delivery in deliveries}
        well = False
        try:
            found = {each.id: self._store(association, each, folder) for each in deliveries}
            well = all(each.verdict is not Verdict.TRANSIENT for each in found.values())
            return found
        finally:
            self._standing.give(association, keep=well)

    def prepare(self) -> None:
        """Open the association over which answers will go that are being made."""
        self._standing.prepare()

    def rest(self) -> None:
        """End an association that was not used for long."""
        self._standing.rest()

    def end(self) -> None:
        """End the association."""
        self._standing.end()

    def echo(self) -> str:
        """Ask whether the archive is there (C-ECHO); empty if it is, else why not."""
        association = self.associate([("1.2.840.10008.1.1", None)])
        if not association.is_established:
            return _why_not(association)
        try:
            status = association.send_c_echo()
            return "" if "Status" in status and status.Status == 0 else "it answers no C-ECHO"
        finally:
            end(association)

    def associate(
        self, contexts: Sequence[tuple[str, list[Any] | None]], handlers: Sequence[Any] = ()
    ) -> Any:
        """Open an association; ask it whether it is established."""
        entity: Any = _Caller(ae_title=self._ae_title)
        seconds = self._destination.timeout
        entity.acse_timeout = entity.dimse_timeout = seconds
        entity.network_timeout = entity.connection_timeout = seconds
        for sop_class, syntaxes in contexts:
            entity.add_requested_context(sop_class, syntaxes)
        return entity.associate(
            self._destination.host,
            self._destination.port,
            ae_title=self._destination.ae_title,
            tls_args=self._tls,
            evt_handlers=[
                (evt.EVT_CONN_OPEN, _limit_waiting, [seconds]),
                (evt.EVT_CONN_OPEN, _hasten),
                *handlers,
            ],
        )

    def _propose(self, classes: Iterable[str]) -> None:
        """See that an association is proposed, and none stands without, for these SOP classes."""
        more = dict.fromkeys((*self._classes, *map(str, classes)))
        if more != self._classes:
            self._standing.end()
            self._classes = more

    def _associate(self) -> Any:
        return self.associate([(each, SYNTAXES) for each in self._classes])

    def _store(self, association: Any, delivery: Delivery, folder: Spool) -> Outcome:
        if not association.is_established:
            return transient("the archive ended the association")
        if delivery.sop_class_uid not in {sop_class for sop_class, _ in _accepted(association)}:
            return permanent(f"the archive takes no {delivery.kind} (its SOP class is refused)")
        try:
            path = folder.path(delivery.file)
            as_it_is = (delivery.sop_class_uid, _syntax_of(path)) in _accepted(association)
            status = association.send_c_store(path if as_it_is else dcmread(path))
        except OSError as error:
            return permanent(f"the answer's file cannot be read: {error.strerror}")
        except (ValueError, RuntimeError, AttributeError) as error:
            return transient(f"the answer was not sent ({type(error).__name__})")
        if "Status" not in status:
            return transient("the archive did not answer")
        return of_status(int(status.Status))


def _accepted(association: Any) -> set[tuple[str, str]]:
    """SOP classes with the transfer syntax in which each is taken."""
    return {
        (str(context.abstract_syntax), str(context.transfer_syntax[0]))
        for context in association.accepted_contexts
    }


def _syntax_of(path: Path) -> str:
    return str(read_file_meta_info(path).TransferSyntaxUID)


def _hasten(event: Any) -> None:
    """Let each PDU go at once: command and data are two, and TCP held the second for 40 ms."""
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _limit_waiting(event: Any, seconds: float) -> None:
    """Let no read or write of the connection take longer.

    pynetdicom lets them wait for ever, and its own limits wait for the thread that does: an archive
    that froze in the middle of a PDU would hold the sender up until it thaws.
    """
    event.assoc.dul.socket.socket.settimeout(seconds)


def end(association: Any) -> None:
    """End an association in order where it still stands, and close its connection in any case.

    pynetdicom's release waits for ever where its thread paused while a report was being answered; a
    sender that did, too, would send nothing more. So the association is aborted instead.
    """
    if association.is_established:
        releasing = Thread(target=association.release, daemon=True)
        releasing.start()
        releasing.join(association.acse_timeout + _LONGER)
        if releasing.is_alive():
            association.abort(block=False)
    if association.dul.socket is not None:
        association.dul.socket.close()


def _not_established(association: Any) -> Outcome:
    # pynetdicom ends an association by itself in which nothing was accepted.
    if association.rejected_contexts and not association.is_rejected:
        return permanent("the archive takes none of our answers (their SOP classes are refused)")
    return transient(_why_not(association))


def _why_not(association: Any) -> str:
    if association.is_rejected:
        return "the archive rejects the association: does it know our AE title?"
    return "the archive cannot be reached, or ended the association"


def client_tls(files: TlsSection) -> ssl.SSLContext:
    """Our side of TLS as a caller, with our certificate where there is one.

    Raises
    ------
    ConfigurationError
        A file cannot be used.
    """
    try:
        context = ssl.create_default_context(
            cafile=None if files.client_ca is None else str(files.client_ca)
        )
        if files.cert is not None:
            context.load_cert_chain(files.cert, files.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"[node.tls]: a file cannot be used: {error}") from error
    return context
