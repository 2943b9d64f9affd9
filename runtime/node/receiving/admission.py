"""Who may call, and when: rejections of PS3.8 9.3.4 with result, source and diagnostic."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache

from ..configuration import NodeSection, SourceSection

Rejection = tuple[int, int, int]
"""Result, source and reason of an A-ASSOCIATE-RJ."""

CALLING_AE_TITLE = (1, 1, 3)
CALLED_AE_TITLE = (1, 1, 7)
LOCAL_LIMIT = (2, 3, 2)
CONGESTION = (2, 3, 1)


class Admission:
    """Decides on a caller.

    Parameters
    ----------
    node, sources
        The rules.
    has_room
        Whether the disk has more free than the reserve.
    """

    def __init__(
        self,
        node: NodeSection,
        sources: tuple[SourceSection, ...],
        has_room: Callable[[], bool],
    ) -> None:
        self._node = node
        self._sources = sources
        self._has_room = has_room

    @property
    def most(self) -> int:
        """How many associations there may be at a time."""
        return self._node.associations

    def refusal(
        self, calling: str, called: str, host: str, others: Sequence[str], wants_storage: bool
    ) -> Rejection | None:
        """Why a caller is refused, or None.

        Parameters
        ----------
        calling, called
            The AE titles of the request, without padding.
        host
            The caller's address.
        others
            The hosts of all who were let in and have not gone.
        wants_storage
            Whether it proposes more than Verification.
        """
        if called != self._node.ae_title:
            return CALLED_AE_TITLE
        if not self._node.promiscuous and not self._is_known(calling, host):
            return CALLING_AE_TITLE
        if len(others) >= self._node.associations:
            return LOCAL_LIMIT
        if others.count(host) >= self._node.associations_of_a_host:
            return LOCAL_LIMIT
        # Echoes are answered all the same: whoever looks for the fault must find the node there.
        if wants_storage and not self._has_room():
            return CONGESTION
        return None

    def _is_known(self, calling: str, host: str) -> bool:
        return any(
            source.ae_title == calling and (not source.host or host in _addresses(source.host))
            for source in self._sources
        )


@lru_cache(maxsize=256)
def _addresses(host: str) -> frozenset[str]:
    """The addresses that a host's name stands for, looked up once."""
    try:
        return frozenset({str(ipaddress.ip_address(host))})
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return frozenset()
    return frozenset(str(entry[4][0]) for entry in found)
