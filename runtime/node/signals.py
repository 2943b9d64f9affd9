"""How the node's parts wake each other, and how all of them are told to end."""

import threading


class Bell:
    """Rung by one thread, waited for by another; a ring before the wait is not lost."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Wake who waits, or who waits next."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Wait for a ring, at most so long."""
        self._event.wait(seconds)
        self._event.clear()


class Signals:
    """What the node's threads share.

    Attributes
    ----------
    stop
        Set once: every thread ends after what it has at hand.
    received
        Rung when an image was taken up.
    scored
        By destination: rung when an answer is to be sent there, or soon will be.
    answering
        Set while an image is being scored and answered.
    """

    def __init__(self, destinations: tuple[str, ...] = ()) -> None:
        self.stop = threading.Event()
        self.received = Bell()
        self.answering = threading.Event()
        self.scored = {name: Bell() for name in destinations}

    def ring_senders(self) -> None:
        """Wake all who send."""
        for bell in self.scored.values():
            bell.ring()

    def end(self) -> None:
        """Tell every thread to end, and wake all."""
        self.stop.set()
        for bell in (self.received, *self.scored.values()):
            bell.ring()
