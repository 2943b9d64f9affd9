"""The log: one JSON object a line on standard error, which names nobody.

What is logged is what this code says of its own; libraries' loggers are silent, since they quote
what they read.
"""

import json
import logging
import sys
import threading
import warnings
from datetime import datetime, timezone
from typing import Any

LOGGER = logging.getLogger("brixia-edge node")


class _Lines(logging.Formatter):
    """Time, level, event, and whatever members came with it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        members: dict[str, Any] = getattr(record, "members", {})
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps({**line, **members})


def start_logging() -> None:
    """Log to standard error; silence pynetdicom, pydicom, their warnings, and the web server."""
    warnings.simplefilter("ignore")  # pydicom's quote values
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    LOGGER.handlers = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    for name in ("pynetdicom", "pydicom", "uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers = [logging.NullHandler()]
        library.propagate = False
    threading.excepthook = _thread_ended


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    """Tell that a thread ended by a fault, not what it held, which may be of a patient."""
    warn("a thread ended by a fault", error=told.exc_type.__name__)


def log(event: str, **members: Any) -> None:
    """Log an event with what belongs to it."""
    LOGGER.info(event, extra={"members": members})


def warn(event: str, **members: Any) -> None:
    """Log an event that a person should look at."""
    LOGGER.warning(event, extra={"members": members})
