"""The node's DICOM server: pynetdicom's, hardened against silent, slow and greedy callers.

As it comes, pynetdicom shakes hands for TLS in the thread that accepts, reads a PDU without a
deadline and believes its announced length, so one caller can stop it for all. Here each caller has
a thread of its own from the first byte on, 10 s for a whole PDU, 128 KiB at most for one, and as
many bytes for a message as an image may have. It uses pynetdicom's internals: versions are pinned.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep
from typing import Any, cast

from ...errors import ConfigurationError, MissingExtra, pip_line
from ..configuration import NodeSection, TlsSection
from .admission import Admission, Rejection
from .contexts import STORAGE_COMMITMENT, TRANSFER_SYNTAXES, VERIFICATION, storage_classes
from .incoming import IncomingMessages
from .upper_layer import TolerantStateMachine

try:
    import pynetdicom
    from pynetdicom.acse import ACSE
    from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer
except ModuleNotFoundError as error:
    raise MissingExtra.of("the node", "pynetdicom", pip_line("node")) from error

SECONDS_OF_A_PDU = 10.0
SECONDS_BETWEEN_PDUS = 60.0
"""A modality may keep its association from one exposure to the next."""

LARGEST_PDU = 128 * 2**10
_HEADER = 6
CONNECTIONS, CONNECTIONS_OF_A_HOST = 4, 3
"""Times the associations: connections, most of which have not asked for one yet."""

_MARGIN = 2**20  # bytes of a message beside its dataset

evt: Any = import_module("pynetdicom.events")
_NO_STORAGE = (VERIFICATION, STORAGE_COMMITMENT)
"""What a full disk must not refuse: a confirmation is what lets files be deleted."""


class DeadlineSocket(AssociationSocket):
    """Reads a whole PDU within a deadline, never more than its limits."""

    largest_message = 0
    """Bytes of all PDUs between two complete messages."""

    def __init__(self, assoc: Any, client_socket: socket.socket) -> None:
        super().__init__(assoc, client_socket=client_socket)
        self._deadline = 0.0
        self._of_this_message = 0
        self.unanswered = False
        """Whether a request has arrived whole whose answer is not on its way."""

    def message_ended(self) -> None:
        """Begin to count anew."""
        self._of_this_message = 0
        self.unanswered = True

    def recv(self, nr_bytes: int) -> bytearray:
        """Read as many bytes, or fewer where the caller closes.

        Raises
        ------
        OSError
            They did not come in time, or are more than a PDU or a message may have; pynetdicom
            closes the connection then.
        """
        if nr_bytes == _HEADER:
            self._deadline = monotonic() + SECONDS_OF_A_PDU
        self._of_this_message += nr_bytes
        if nr_bytes > LARGEST_PDU or self._of_this_message > self.largest_message:
            raise OSError(f"a PDU or message of {self._of_this_message} bytes is too long")
        read = bytearray()
        while len(read) < nr_bytes:
            part = self._some(nr_bytes - len(read))
            if not part:
                break
            read += part
        return read

    def _some(self, count: int) -> bytes:
        connection = cast(socket.socket, self.socket)
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError(f"a PDU took longer than {SECONDS_OF_A_PDU:.0f} s")
        connection.settimeout(left)
        try:
            return connection.recv(min(count, 2**16))
        finally:
            connection.settimeout(SECONDS_OF_A_PDU)


class StrictACSE(ACSE):
    """Asks `Admission` about each caller before pynetdicom negotiates."""

    _turn = threading.Lock()

    def __init__(self, assoc: Any, admission: Admission) -> None:
        super().__init__(assoc)
        self._admission = admission
        self._admitted = False

    def _stranger(self) -> Rejection | None:
        request: Any = self.requestor.primitive
        return self._admission.refusal_of_stranger(
            str(request.calling_ae_title).strip(),
            str(request.called_ae_title).strip(),
            _host_of(self.assoc),
        )

    def _want(self) -> Rejection | None:
        request: Any = self.requestor.primitive
        proposed = request.presentation_context_definition_list
        everyone = self.assoc.ae.active_associations
        # Those who have a connection and ask for nothing must not take others' places.
        let_in = [each for each in everyone if getattr(each.acse, "_admitted", False)]
        return self._admission.refusal_for_want(
            _host_of(self.assoc),
            [_host_of(each) for each in let_in],
            any(str(context.abstract_syntax) not in _NO_STORAGE for context in proposed),
        )

    def _negotiate_as_acceptor(self) -> None:
        # Not in turn: a slow name server would hold up all.
        refusal = self._stranger()
        if refusal is None:
            with self._turn:
                refusal = self._want()
                self._admitted = refusal is None
        if refusal is None:
            super()._negotiate_as_acceptor()
            return
        self.send_reject(*refusal)
        evt.trigger(self.assoc, evt.EVT_REJECTED, {})
        self.assoc.kill()


def _host_of(association: Any) -> str:
    return str(association.requestor.address_info.address)


class _Handler(RequestHandler):
    """One connection: its TLS handshake in its own thread, then an association."""

    def handle(self) -> None:
        connection = cast(socket.socket, self.request)
        connection.settimeout(SECONDS_OF_A_PDU)
        server = cast(NodeServer, self.server)
        try:
            if server.tls is not None:
                self.request = server.tls.wrap_socket(connection, server_side=True)
        except (OSError, ValueError):
            # A caller that speaks no TLS, or has no certificate that we trust.
            connection.close()
            return
        super().handle()

    def _create_association(self) -> Any:
        association: Any = super()._create_association()
        server = cast(NodeServer, self.server)
        association.acse = StrictACSE(association, server.admission)
        association.dimse = IncomingMessages(association, server.folder)
        association.dul.daemon = True  # as the association's own thread: it must hold up no end
        association.dul.state_machine = TolerantStateMachine(association.dul)
        limited = DeadlineSocket(association, self.request)
        limited.largest_message = server.largest_message
        # The first socket's event of the connection is in the queue already.
        association.dul.event_queue.get_nowait()
        association.dul.socket = limited
        return association


class NodeServer(ThreadedAssociationServer):
    """Listens, and gives each caller a thread.

    Attributes
    ----------
    tls
        Encrypts all connections; None for none.
    admission
        Decides on callers.
    largest_message
        Bytes.
    folder
        On the disk on which images are kept while they arrive.
    opening
        The hosts of connections that have no association yet, such as in a TLS handshake.
    """

    daemon_threads = True
    request_queue_size = 128
    tls: ssl.SSLContext | None
    admission: Admission
    largest_message: int
    folder: Path
    opening: list[str]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more connection, asked for an association or not."""
        del request
        everyone = [_host_of(each) for each in self.active_associations] + self.opening
        most = self.admission.most
        of_this_host = everyone.count(client_address[0])
        return len(everyone) < CONNECTIONS * most and of_this_host < CONNECTIONS_OF_A_HOST * most

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread, which counts until it has an association or has ended."""
        self.opening.append(client_address[0])
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.opening.remove(client_address[0])
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.opening.remove(client_address[0])

    def end(self, seconds: float) -> None:
        """Listen no more, and abort all associations.

        Parameters
        ----------
        seconds
            How long those may take over which an image is arriving, or is being made safe.
        """
        self.shutdown()
        until = monotonic() + seconds
        while self.active_associations and monotonic() < until:
            for each in self.active_associations:
                if not _at_hand(each):
                    each.abort()
            sleep(0.05)
        for each in self.active_associations:
            each.abort(block=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Close a connection over which anything went wrong, without a word of it."""
        del client_address
        self.shutdown_request(request)


def start_server(
    node: NodeSection,
    admission: Admission,
    store: Callable[[Any], int],
    report: Callable[[Any], tuple[int, None]],
) -> NodeServer:
    """Listen for modalities, in threads of their own; ``shutdown`` of what is given ends them.

    Parameters
    ----------
    node
        Where, under which name, and what to take.
    admission
        Decides on callers.
    store
        Answers ``EVT_C_STORE`` with a status.
    report
        Answers ``EVT_N_EVENT_REPORT``: an archive that confirms what it keeps.

    Raises
    ------
    OSError
        The address cannot be listened on.
    ConfigurationError
        The files for TLS cannot be used.
    """
    _config: Any = import_module("pynetdicom._config")
    _config.LOG_HANDLER_LEVEL = "none"  # its handlers write names
    entity: Any = pynetdicom.AE(ae_title=node.ae_title)
    entity.maximum_associations = CONNECTIONS * node.associations  # `Admission` counts strictly
    entity.maximum_pdu_size = LARGEST_PDU // 2
    entity.acse_timeout = entity.dimse_timeout = SECONDS_OF_A_PDU
    entity.network_timeout = SECONDS_BETWEEN_PDUS
    entity.add_supported_context(VERIFICATION)
    for sop_class in storage_classes(node.accept):
        entity.add_supported_context(sop_class, list(TRANSFER_SYNTAXES))
    # An archive reports as the service's provider, though it is the one that calls.
    entity.add_supported_context(STORAGE_COMMITMENT, scu_role=False, scp_role=True)
    handlers: list[Any] = [
        (evt.EVT_C_STORE, store),
        (evt.EVT_N_EVENT_REPORT, report),
        (evt.EVT_DIMSE_RECV, _message_ended),
        (evt.EVT_DIMSE_SENT, _answered),
    ]
    tls = server_tls(node.tls)
    server = NodeServer(
        entity,
        (node.listen.host, node.listen.port),
        node.ae_title,
        entity.supported_contexts,
        evt_handlers=handlers,
        request_handler=_Handler,
    )
    server.tls, server.admission, server.opening = tls, admission, []
    server.largest_message, server.folder = node.largest + _MARGIN, node.data
    entity._servers.append(server)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True, name="dicom"
    ).start()
    return server


def _message_ended(event: Any) -> None:
    """Abort where a request comes before the last one's answer: that was never negotiated.

    Without asynchronous operations (PS3.7 D.3.3.3) one may be outstanding; more would pile up.
    """
    connection = event.assoc.dul.socket
    if not isinstance(connection, DeadlineSocket):
        return
    if connection.unanswered:
        event.assoc.dul.event_queue.put("Evt19")  # as an invalid PDU (PS3.8 9.2.3)
    connection.message_ended()


def _at_hand(association: Any) -> bool:
    connection = association.dul.socket
    unanswered = isinstance(connection, DeadlineSocket) and connection.unanswered
    return unanswered or association.dimse.message is not None


def _answered(event: Any) -> None:
    connection = event.assoc.dul.socket
    if isinstance(connection, DeadlineSocket):
        connection.unanswered = False


def server_tls(files: TlsSection) -> ssl.SSLContext | None:
    """The server's side of TLS 1.2 and later, asking for certificates where `client_ca` is given.

    Raises
    ------
    ConfigurationError
        A file cannot be used.
    """
    if files.cert is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=_text(files.client_ca))
        context.load_cert_chain(files.cert, files.key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"[node.tls]: {files.cert}, {files.key} or {files.client_ca} cannot be used: {error}"
        ) from error
    if files.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
