"""The node: all parts started in order, ended in order.

Started: the database (what an earlier run left is taken up), the server, senders, the scoring
thread. The server listens before the network is loaded, so that images are safe at once.
"""

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic, time
from typing import Any

from ...errors import BrixiaEdgeError, ConfigurationError
from ..configuration import Configuration, DestinationSection
from ..data_folder import DataFolder
from ..meters import Meters, Snapshot
from ..models.drift import DriftWatch
from ..models.installed import MODELS, InstalledModels
from ..models.shadow import Shadow
from ..receiving.admission import Admission
from ..receiving.server import NodeServer, start_server
from ..receiving.storage import OUT_OF_RESOURCES, SUCCESS, Storage, Taken
from ..scoring.loop import ScoringLoop, ScoringPlan
from ..scoring.process import ScoringSettings
from ..sending.commitment import CommitmentReports, new_transaction, request_commitment
from ..sending.dimse import DimseTransport
from ..sending.sender import Confirmation, Sender, Transport
from ..signals import Signals
from ..state.rows import Delivery, Uptake
from ..web.app import NodeView, make_app
from ..web.auth import read_token
from ..web.server import WebServer
from .disk import Disk
from .housekeeping import Housekeeping, adopt, sweep_answers
from .logs import log, warn
from .notify import ENDING, READY, notify

ANSWER_SECONDS = 120.0
"""How long an upload waits for its score."""

LAST_IMAGE_SECONDS = 25.0
"""How long an image at hand may take when the node ends; then it goes back to the queue."""

LAST_ARRIVAL_SECONDS = 5.0
"""How long an image that is arriving may take when the node ends; its modality sends it again."""

_UPLOAD = "upload-"
"""Begins the names of files that are scored and not kept; a start removes what a crash left."""


@dataclass(frozen=True)
class CommitmentOf:
    """Storage commitment of one destination."""

    transport: DimseTransport
    reports: CommitmentReports

    def request(self, deliveries: Sequence[Delivery], transaction_uid: str) -> str:
        """See `request_commitment`."""
        return request_commitment(self.transport, deliveries, transaction_uid, self.reports.take)

    def new_transaction(self) -> str:
        """See `commitment.new_transaction`."""
        return new_transaction()


def _warn_of_hindrance(reason: str) -> None:
    warn("nothing can be scored", reason=reason)


class Node:
    """A running node; `start` it, `stop` it.

    Parameters
    ----------
    configuration
        What it is to be.

    Raises
    ------
    StateError, ConfigurationError
        It cannot be what it is to be. A damaged bundle is no reason: images are taken all the same,
        and wait until `node model` mends it.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        names = tuple(each.name for each in configuration.destinations)
        self.signals = Signals(names)
        self.data = DataFolder.open(configuration.node.data)
        self.models = InstalledModels(
            self.data.store, self.data.root / MODELS, configuration.score.bundle
        )
        self.disk = Disk(self.data.root, configuration.node.reserve)
        self.storage = Storage(self.data.store, self.data.images)
        self.reports = CommitmentReports(self.data.store.outbox, names)
        self.transports = {each.name: self._transport(each) for each in configuration.destinations}
        self.scoring = ScoringLoop(self._plan(), self.data.store, self.data.images, self.signals)
        self.scoring.chosen = self.models.current
        self.scoring.hindered = _warn_of_hindrance
        self.drift = DriftWatch(self.data.store.views, self.models.current)
        self.meters = Meters(self._look)
        self.scoring.took = self.meters.score.observe
        self.data.store.outbox.took = self.meters.deliver.observe
        self._web = WebServer(configuration.http.listen, make_app(self._view()))
        self._server: NodeServer | None = None
        self._threads: list[threading.Thread] = []
        self._claim = ExitStack()

    def start(self) -> None:
        """Take up what is left from before, listen, send, score.

        Raises
        ------
        ConfigurationError
            The address cannot be listened on.
        StateError
            Another node runs on the data folder.
        """
        self._claim = self.data.claim()
        self._recover()
        self._listen()
        for each in self.configuration.destinations:
            self._begin(f"send to {each.name}", self._sender(each).run)
        self._begin("score", self.scoring.run)
        self._begin_shadow()
        self._web.start()
        self._begin(
            "keep house", Housekeeping(self.configuration.node, self.data, self.signals).run
        )
        notify(READY)
        log("ready", listen=str(self.configuration.node.listen))

    def _begin_shadow(self) -> None:
        """Begin the shadow where one is configured; nobody waits for a damaged one."""
        if self.configuration.score.shadow is None:
            return
        try:
            shadow = Shadow(self._shadow_settings(), self.data, self.signals)
        except BrixiaEdgeError as error:
            self.data.store.views.note("shadow", f"the shadow is left out: {error}")
            warn("the shadow is left out", reason=str(error))
            return
        self._begin("shadow", shadow.run)

    def stop(self) -> None:
        """End all parts; the image at hand is finished if that takes no longer than 25 s."""
        notify(ENDING)
        until = monotonic() + LAST_IMAGE_SECONDS
        self.signals.end()
        self.scoring.turn_guests_away()
        if self._server is not None:
            self._server.end(LAST_ARRIVAL_SECONDS)
        self._web.stop()
        for thread in self._threads:
            left = max(0.0, until - monotonic())
            thread.join(left if thread.name == "score" else min(left, 0.5))
            if thread.name == "score" and thread.is_alive():
                self.scoring.end()
                thread.join(2.0)
        self.data.close()
        self._claim.close()
        log("ended")

    def _recover(self) -> None:
        self.data.images.sweep()
        self.data.objects.sweep()
        sweep_answers(self.data)
        for path in self.data.root.glob(f"{_UPLOAD}*"):
            path.unlink(missing_ok=True)
        again = self.data.store.inbox.recover()
        adopted = adopt(self.data, self.storage)
        if again or adopted:
            log("taken up from before", queued=again, adopted=adopted)
        for each in self.configuration.destinations:
            if not each.commit and (settled := self.data.store.outbox.settle(each.name)):
                log("no confirmation is asked for any more", to=each.name, answers=settled)

    def _listen(self) -> None:
        section = self.configuration.node
        admission = Admission(section, self.configuration.callers, self.disk.has_room)
        try:
            self._server = start_server(section, admission, self._store, self.reports.handle)
        except OSError as error:
            raise ConfigurationError(
                f"[node]: {section.listen} cannot be listened on: {error.strerror}"
            ) from error

    def _view(self) -> NodeView:
        http = self.configuration.http
        token = read_token(http.token_file)
        return NodeView(
            self.data,
            self.meters,
            self._ready,
            self._take,
            self._score_once,
            token,
            http.largest,
            tuple(self.transports),
            http.show_names,
            self.drift.report,
        )

    def _ready(self) -> dict[str, str]:
        return {
            "receiving": "" if self._server is not None else "the node does not listen",
            "scoring": self.scoring.unwell,
            "disk": "" if self.disk.has_room() else "less disk is free than the reserve",
        }

    def _look(self) -> Snapshot:
        counts = self.data.store.views.counts()
        report = self.drift.report()
        return Snapshot(
            counts,
            self.disk.free(),
            self.scoring.bundle,
            time(),
            {}
            if report is None
            else {name: found.excess for name, found in report.quantities.items()},
            self.data.store.views.agreement(),
        )

    def _take(self, content: bytes) -> Taken:
        """Take up an upload; below the reserve it is refused, as an association is."""
        if not self.disk.has_room():
            return Taken(OUT_OF_RESOURCES, None, reason="less disk is free than the reserve")
        return self._noted(self.storage.take_upload(content))

    def _score_once(self, content: bytes) -> Mapping[str, Any]:
        with tempfile.NamedTemporaryFile(dir=self.data.root, prefix=_UPLOAD) as file:
            file.write(content)
            file.flush()
            return self.scoring.score_file(Path(file.name), ANSWER_SECONDS)

    def _store(self, event: Any) -> int:
        started = monotonic()
        taken = self._noted(self.storage.take_request(event))
        self.meters.acknowledge.observe(monotonic() - started)
        return taken.status

    def _noted(self, taken: Taken) -> Taken:
        if taken.uptake is Uptake.ADDED:
            self.signals.received.ring()
        if taken.status != SUCCESS:
            warn("an image was refused", status=f"{taken.status:04X}", reason=taken.reason)
        elif taken.uptake is Uptake.CONFLICT:
            warn("two images have one SOP Instance UID")
        return taken

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=partial(self._guarded, name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Begin a part anew when it ends by a fault that nobody thought of."""
        while not self.signals.stop.is_set():
            try:
                work()
            except Exception as error:
                warn("a part failed and begins anew", part=name, error=type(error).__name__)
                self.signals.stop.wait(5.0)

    def _transport(self, destination: DestinationSection) -> Transport:
        section = self.configuration.node
        if destination.kind == "stow":
            from ..sending.stow import StowTransport

            return StowTransport(destination)
        return DimseTransport(section.ae_title, destination, section.tls)

    def _sender(self, destination: DestinationSection) -> Sender:
        transport = self.transports[destination.name]
        confirmation: Confirmation | None = None
        if destination.commit and isinstance(transport, DimseTransport):
            confirmation = CommitmentOf(transport, self.reports)
        return Sender(destination.name, transport, self.data, self.signals, confirmation)

    def _plan(self) -> ScoringPlan:
        score = self.configuration.score
        settings = ScoringSettings(
            score.bundle, score.backend, score.threads, self.data.objects.folder
        )
        destinations = tuple((each.name, each.send) for each in self.configuration.destinations)
        order = self.configuration.node.order
        return ScoringPlan(settings, order, destinations)

    def _shadow_settings(self) -> ScoringSettings:
        score = self.configuration.score
        return ScoringSettings(score.shadow, score.backend, score.threads)
