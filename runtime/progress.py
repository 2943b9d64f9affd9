"""How long work shows how far it is: whoever asks for it passes items through a function."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Passes items on, and may show on the way how many have passed.

    `runtime.commands.progress.show_progress` is the one that commands show.
    """

    def __call__(
        self, stage: str, items: Iterable[Item], count: int | None = None
    ) -> Iterable[Item]:
        """Pass items on.

        Parameters
        ----------
        stage
            What is done with them, in a word or two: ``Scoring``.
        items
            What to pass on.
        count
            How many there are, for items that have no length.
        """
        ...


def unchanged(stage: str, items: Iterable[Item], count: int | None = None) -> Iterable[Item]:
    """Pass items on and show nothing."""
    return items
