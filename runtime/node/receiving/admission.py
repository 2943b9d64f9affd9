"""Who may call, and when: rejections of PS3.8 9.3.4 with result, source and diagnostic."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from ..configuration import NodeSection, SourceSection

Rejection = tuple[int, int, int]
"""Result, source and reason of an A-ASSOCIATE-RJ."""

CALLING_AE_TITLE = (1, 1, 3)
CALLED_AE_TITLE = (1, 1, 7)
LOCAL_LIMIT = (2, 3, 2)
CONGESTION = (2, 3, 1)

SECONDS_OF_A_LOOKUP = 60.0
"""How long the addresses that a name stands for are believed; a failed lookup is not at all."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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
        self._looked_up: dict[str, tuple[float, frozenset[_Address]]] = {}

    @property
    def most(self) -> int:
        """How many associations there may be at a time."""
        return self._node.associations

    def refusal_of_stranger(self, calling: str, called: str, host: str) -> Rejection | None:
        """Why a caller is refused whoever else is there, or None; may wait for a name server.

        Parameters
        ----------
        calling, called
            The AE titles of the request, without padding.
        host
            The caller's address.
        """
        if called != self._node.ae_title:
            return CALLED_AE_TITLE
        if not self._node.promiscuous and not self._is_known(calling, host):
            return CALLING_AE_TITLE
        return None

    def refusal_for_want(
        self, host: str, others: Sequence[str], wants_storage: bool
    ) -> Rejection | None:
        """Why there is no place for a caller, or None.

        Parameters
        ----------
        host
            The caller's address.
        others
            The hosts of all who were let in and have not gone.
        wants_storage
            Whether it proposes more than Verification.
        """
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
            source.ae_title == calling
            and (not source.host or _address(host) in self._addresses(source.host))
            for source in self._sources
        )

    def _addresses(self, host: str) -> frozenset[_Address]:
        """The addresses that a host's name stands for."""
        with suppress(ValueError):
            return frozenset({_address(host)})
        until, known = self._looked_up.get(host, (0.0, frozenset()))
        if monotonic() < until:
            return known
        try:
            entries = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
        except OSError:
            return frozenset()
        found = frozenset(_address(str(entry[4][0])) for entry in entries)
        self._looked_up[host] = (monotonic() + SECONDS_OF_A_LOOKUP, found)
        return found


def _address(text: str) -> _Address:
    """An address; an IPv4 one that an IPv6 socket tells of (RFC 4291 2.5.5.2) as IPv4."""
    found = ipaddress.ip_address(text.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found
