"""What is done now and then: old images deleted, files without a row adopted, signs of life."""

from time import monotonic, time

from ...errors import BrixiaEdgeError
from ..configuration import NodeSection
from ..data_folder import DataFolder
from ..receiving.storage import SUCCESS, Storage
from ..signals import Signals
from .logs import log, warn
from .notify import ALIVE, notify, watchdog_seconds

_EVERY = 60.0  # seconds between two looks at what is expired
_GLANCE = 1.0


def delete_expired(data: DataFolder, retention: float) -> int:
    """Delete the files of some images that are final everywhere and older than that; how many.

    Not of all at once: between two calls the node gives signs of life.

    Parameters
    ----------
    data
        Where they are.
    retention
        Seconds.
    """
    expired = data.store.inbox.expired(time() - retention)
    for instance in expired:
        for name in data.store.inbox.objects_of(instance.id):
            data.objects.remove(name)
        data.images.remove(instance.spool)
        data.store.inbox.deleted(instance.id)
    return len(expired)


def sweep_answers(data: DataFolder) -> int:
    """Delete answers that no row knows, left by a crash before their score was kept; how many.

    They are made again under the same names when their image is.
    """
    left = data.objects.names() - data.store.inbox.answers()
    for name in left:
        data.objects.remove(name)
    return len(left)


def adopt(data: DataFolder, storage: Storage) -> int:
    """Take up images that became safe on the disk but not in the database; how many.

    Their senders got no Success, so they may send them again: the same image is one image.
    """
    count = 0
    for name in data.images.names() - data.store.inbox.spooled():
        try:
            content = data.images.path(name).read_bytes()
            taken = storage.take(content, name.removesuffix(".dcm"), "adopted")
        except OSError as error:
            warn("an image cannot be adopted", reason=error.strerror)
            continue
        if taken.status == SUCCESS:
            count += 1
        else:
            warn("a file of the images is none", reason=taken.reason)
    return count


class Housekeeping:
    """The thread that does all this until `Signals.stop`."""

    def __init__(self, node: NodeSection, data: DataFolder, signals: Signals) -> None:
        self._node, self._data, self._signals = node, data, signals

    def run(self) -> None:
        """Work until the node ends."""
        looked = float("-inf")
        signs = watchdog_seconds()
        while not self._signals.stop.wait(min(_GLANCE, signs or _GLANCE)):
            if signs is not None:
                notify(ALIVE)
            if monotonic() - looked > _EVERY:
                looked = float("-inf") if self._look() else monotonic()

    def _look(self) -> int:
        """Delete some of what is expired; how many images, none being left after 0."""
        try:
            count = delete_expired(self._data, self._node.retention)
            self._data.store.views.forget_events()
        except (OSError, BrixiaEdgeError) as error:
            warn("old images cannot be deleted", reason=type(error).__name__)
            return 0
        if count:
            log("old images deleted", images=count)
        return count
