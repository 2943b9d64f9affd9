"""Which bundle answers: the one that was installed last, else the one of the configuration.

Installed bundles lie in folders named by their digests; which of them is in use is one row of the
database, so that a change is whole or not at all. A running node looks before each image.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from ...errors import StateError
from ..state.store import Store, kept_value

MODELS = "models"
"""Their folder in the data folder."""

_CHOSEN = "models"
_DIGITS = 16
_CONFIGURED = ""


def bundle_in_use(data: Path, configured: Path | None) -> tuple[Path | None, bool]:
    """Where the bundle lies by which a node would score, and whether it was installed.

    Nothing is changed, or made, in the data folder.

    Parameters
    ----------
    data
        The node's data folder; may be absent.
    configured
        The bundle of the configuration; None for the one that ships.

    Raises
    ------
    StateError
        The database cannot be read.
    """
    told = kept_value(data, _CHOSEN)
    digest = json.loads(told)[0] if told else _CONFIGURED
    return (_place(data / MODELS, digest), True) if digest else (configured, False)


def _place(folder: Path, digest: str) -> Path:
    return folder / digest[:_DIGITS]


class InstalledModels:
    """The bundles of a data folder.

    Parameters
    ----------
    store
        Remembers which is in use, and which was before.
    folder
        Where they lie.
    configured
        Answers where none was installed; None for the bundle that ships.
    """

    def __init__(self, store: Store, folder: Path, configured: Path | None) -> None:
        self.store, self.folder, self._configured = store, folder, configured

    @property
    def chosen(self) -> Sequence[str]:
        """Digests of the bundle in use and of the one before it; empty for the configured one."""
        return tuple(json.loads(self.store.remembered(_CHOSEN, json.dumps([_CONFIGURED]))))

    def current(self) -> Path | None:
        """Where the bundle in use lies; None for the one that ships."""
        return self.path(self.chosen[0])

    def path(self, digest: str) -> Path | None:
        """Where a bundle lies by its digest, or the configured one."""
        return self.place(digest) if digest else self._configured

    def place(self, digest: str) -> Path:
        """Where an installed bundle lies."""
        return _place(self.folder, digest)

    def choose(self, digest: str) -> None:
        """Use an installed bundle from now on; the one that was in use is the one before."""
        before = self.chosen[0]
        if digest != before:
            self.store.remember(_CHOSEN, json.dumps([digest, before]))
            self._sweep()

    def roll_back(self) -> str:
        """Use the bundle again that was used before, and give its digest.

        Raises
        ------
        StateError
            There was none before.
        """
        if len(self.chosen) == 1:
            raise StateError("no bundle was used before this one; install one instead")
        self.choose(self.chosen[1])
        return self.chosen[0]

    def _sweep(self) -> None:
        """Delete what is neither in use nor was used before it."""
        kept = {self.path(digest) for digest in self.chosen}
        for path in self.folder.iterdir():
            if path not in kept:
                shutil.rmtree(path, ignore_errors=True)
