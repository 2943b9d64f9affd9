"""A file that comes with a request, never longer than is allowed."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from ...errors import ImageTooLarge, UnreadableImage

SECONDS_OF_A_PART, SECONDS_OF_AN_UPLOAD = 10.0, 300.0

_FORM = "multipart/form-data"
_MARGIN = 2**16  # bytes of a form around its file


async def uploaded(request: Request, largest: int) -> bytes:
    """Read the file of a request: its body, or the one file of a form.

    Raises
    ------
    ImageTooLarge
        It is longer than `largest`; the rest was not read.
    UnreadableImage
        There is no file, or it comes too slowly.
    """
    request = Request(request.scope, _hurried(request.receive))
    if not request.headers.get("content-type", "").startswith(_FORM):
        content = b"".join([part async for part in _limited(request, largest)])
    else:
        content = await _of_form(request, largest)
    if not content:
        raise UnreadableImage("the request holds no file; send a radiograph as its body")
    return content


def _hurried(receive: Receive) -> Receive:
    """Give up on a caller that sends nothing for a while, or takes too long for all of it."""
    until = monotonic() + SECONDS_OF_AN_UPLOAD

    async def hurried() -> Message:
        seconds = min(SECONDS_OF_A_PART, until - monotonic())
        try:
            return await asyncio.wait_for(receive(), max(seconds, 0.0))
        except asyncio.TimeoutError as error:
            raise UnreadableImage("the file came too slowly; send it again") from error

    return hurried


async def _limited(request: Request, largest: int) -> AsyncIterator[bytes]:
    length = 0
    try:
        async for part in request.stream():
            length += len(part)
            if length > largest:
                raise ImageTooLarge(f"the file is longer than {largest} bytes, the most taken")
            yield part
    except ClientDisconnect as error:
        raise UnreadableImage("the request ended before its file did") from error


async def _of_form(request: Request, largest: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if not declared.isdecimal():
        raise UnreadableImage("a form needs Content-Length; send the file as the body instead")
    if int(declared) > largest + _MARGIN:
        raise ImageTooLarge(f"the form is longer than {largest} bytes, the most taken")
    try:
        async with request.form(max_files=1, max_fields=4) as form:
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            return await files[0].read() if files else b""
    except (HTTPException, MultiPartException, ValueError, ClientDisconnect) as error:
        raise UnreadableImage("the form cannot be read; send the file as the body") from error
