"""The node's data folder: the database, the images as received, the answers."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..errors import OutputRefused, StateError
from ..files import locked
from .receiving.spool import Spool
from .state.store import Store


@dataclass(frozen=True)
class DataFolder:
    """All that the node keeps.

    Attributes
    ----------
    root
        The folder.
    store
        The database.
    images
        As they were received.
    objects
        DICOM objects that answer.
    """

    root: Path
    store: Store
    images: Spool
    objects: Spool

    @classmethod
    def open(cls, root: Path) -> "DataFolder":
        """Open a data folder, and make what is absent of it.

        Raises
        ------
        StateError
            The folder cannot be made or written, or the database cannot be used.
        """
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            images, objects = Spool(root / "images"), Spool(root / "objects")
        except OSError as error:
            raise StateError(
                f"the data folder {root} cannot be made ({error.strerror}); name another one as "
                "data of [node], or give the node's user the right to write there"
            ) from error
        return cls(root, Store.open(root), images, objects)

    def claim(self) -> ExitStack:
        """Keep other nodes off until what is returned is closed; a process that ends gives it up.

        Raises
        ------
        StateError
            Another node runs on it: what this one would take for left behind is in use.
        """
        claimed = ExitStack()
        try:
            claimed.enter_context(locked(self.root / "node"))
        except OutputRefused as error:
            raise StateError(
                f"another node runs on the data folder {self.root}; end it first, or name another "
                "folder as data of [node]"
            ) from error
        return claimed

    def close(self) -> None:
        """Close the database."""
        self.store.close()
