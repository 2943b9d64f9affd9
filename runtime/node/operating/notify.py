"""What systemd is told (sd_notify): ready, alive, ending. Without systemd nothing happens."""

import os
import socket
from contextlib import suppress

READY = "READY=1"
ALIVE = "WATCHDOG=1"
ENDING = "STOPPING=1"


def notify(message: str) -> None:
    """Send a message to the service manager that started this process, if one did."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.sendall(message.encode())


def watchdog_seconds() -> float | None:
    """How often it wants a sign of life, halved for safety; None for never."""
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 2e6 if text.isdecimal() and int(text) else None
