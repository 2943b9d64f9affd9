"""Who may look: a token for all but health, and no other site's page on a user's behalf."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ...errors import ConfigurationError

OPEN = ("/health/live", "/health/ready")
"""Paths that need no token: whoever watches machines has none."""

_SAFE = ("GET", "HEAD", "OPTIONS")
_SHORTEST = 16

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


def read_token(path: Path | None) -> str:
    """Read the token; empty where none is asked for.

    Raises
    ------
    ConfigurationError
        It cannot be read, or is shorter than 16 characters.
    """
    if path is None:
        return ""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"[http]: token_file {path} cannot be read: {error}") from error
    if len(token) < _SHORTEST:
        raise ConfigurationError(
            f"[http]: the token in {path} has {len(token)} characters; give {_SHORTEST} or more, "
            "for instance of `openssl rand -hex 32`"
        )
    return token


class Guard:
    """Answers 401 without the token, and 403 to what another site's page sends.

    The token comes as ``Authorization: Bearer TOKEN``, or as the password of HTTP Basic, which
    browsers ask for. A browser sends the latter to us from any page; so what changes something is
    taken from our own pages alone, by the headers that browsers set and pages cannot. Without a
    token, any page could let its own name point to us and read everything as its own; so a name is
    not answered to, but for ``localhost``.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, method: str, path: str, headers: Headers) -> Response | None:
        if path not in OPEN and self._token and not self._has_token(headers):
            return PlainTextResponse(
                "a token is needed", 401, {"WWW-Authenticate": 'Basic realm="brixia-edge"'}
            )
        if method not in _SAFE and _is_foreign(headers):
            return PlainTextResponse("sent by another site's page", 403)
        if path not in OPEN and not self._token and not _is_own_name(headers.get("host", "")):
            return PlainTextResponse(
                "without a token the node answers to its address or localhost alone", 403
            )
        return None

    def _has_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.encode(), self._token.encode())


def _is_own_name(host: str) -> bool:
    """Whether a Host header is an address, which no page can let point elsewhere, or localhost."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _is_foreign(headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")
