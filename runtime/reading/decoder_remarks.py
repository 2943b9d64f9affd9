"""What decoders write on standard error, caught while they decode.

libjpeg fills a damaged stretch of a picture with whatever comes to hand, tells so on file
descriptor 2 and reports success; the RLE decoder prints a backtrace there. Neither belongs on the
user's terminal, but the first must not be lost: the picture is not what was stored.
"""

import os
import re
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO

_STANDARD_ERROR = 2
_LOCK = threading.Lock()
# Not every remark: PNG files with a slightly wrong colour profile, which libpng tells, are common.
_DAMAGE = re.compile(r"^(Corrupt JPEG data|Premature end of JPEG|Inconsistent progression).*", re.M)


class DecoderRemarks:
    """What was written; complete when the ``with`` block of `decoder_remarks` has ended."""

    text: str = ""

    @property
    def damage(self) -> str:
        """The first line that tells of a damaged picture, or an empty text."""
        found = _DAMAGE.search(self.text)
        return found[0].strip() if found else ""


@contextmanager
def decoder_remarks() -> Generator[DecoderRemarks, None, None]:
    """Catch what is written on the process's standard error within the block.

    One thread at a time, so that no remark is taken for one on another's picture. Where standard
    error is closed or nothing can be written to, nothing is caught.
    """
    remarks = DecoderRemarks()
    with _LOCK, ExitStack() as undo:
        caught = _redirect(undo)
        try:
            yield remarks
        finally:
            if caught:
                caught.seek(0)
                remarks.text = caught.read().decode("utf-8", "replace")


def _redirect(undo: ExitStack) -> IO[bytes] | None:
    try:
        original = os.dup(_STANDARD_ERROR)
        undo.callback(os.close, original)
        caught = undo.enter_context(TemporaryFile())  # noqa: SIM115 - the caller leaves it
    except OSError:
        return None
    # First the way back: Ctrl-C may come between any two lines.
    undo.callback(os.dup2, original, _STANDARD_ERROR)
    os.dup2(caught.fileno(), _STANDARD_ERROR)
    return caught
