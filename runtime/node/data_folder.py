"""The node's data folder: the database, the images as received, the answers."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import StateError
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
            root.mkdir(parents=True, exist_ok=True)
            images, objects = Spool(root / "images"), Spool(root / "objects")
        except OSError as error:
            raise StateError(
                f"the data folder {root} cannot be made ({error.strerror}); name another one as "
                "data of [node], or give the node's user the right to write there"
            ) from error
        return cls(root, Store.open(root), images, objects)

    def close(self) -> None:
        """Close the database."""
        self.store.close()
