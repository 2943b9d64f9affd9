"""The web server: uvicorn in a thread of its own."""

import threading
from importlib import import_module
from typing import Any

from ...errors import ConfigurationError, MissingExtra, pip_line
from ..values import Address

try:
    _uvicorn: Any = import_module("uvicorn")

    from .protocol import HurriedProtocol
except ModuleNotFoundError as error:
    raise MissingExtra.of("the node", "uvicorn", pip_line("node")) from error

_STOPPING_SECONDS = 2
_CONNECTIONS = 64


class WebServer:
    """Serves an application until it is stopped.

    Parameters
    ----------
    address
        Where to listen.
    app
        An ASGI application.
    """

    def __init__(self, address: Address, app: Any) -> None:
        self._address = address
        configuration = _uvicorn.Config(
            app,
            http=HurriedProtocol,
            ws="none",
            host=address.host,
            port=address.port,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=_STOPPING_SECONDS,
            h11_max_incomplete_event_size=2**16,
            lifespan="off",
        )
        self._server: Any = _uvicorn.Server(configuration)
        self._sockets: list[Any] = []
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Listen.

        Raises
        ------
        ConfigurationError
            The address cannot be listened on.
        """
        try:
            self._sockets = [self._server.config.bind_socket()]
        except (OSError, SystemExit) as error:
            raise ConfigurationError(
                f"[http]: {self._address} cannot be listened on; is another node running?"
            ) from error
        self._thread.start()

    def stop(self) -> None:
        """End, whoever is being served."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(2 * _STOPPING_SECONDS)

    def _run(self) -> None:
        self._server.run(sockets=self._sockets)
