"""What a power failure leaves of a folder, by the system calls of the program that wrote in it.

The strictest file system that POSIX allows: what a file holds counts as of its last fsync, a name
as of the last fsync of its folder. Others keep more, up to everything.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from system_calls import Call

TRACED = (
    "openat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,write,pwrite64,ftruncate,"
    "fsync,fdatasync"
)
_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass
class _File:
    """A file, now and as it was synchronised last; a folder has the files of its names."""

    content: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    names: "dict[str, _File] | None" = None
    safe_names: "dict[str, _File]" = field(default_factory=dict[str, "_File"])

    def synchronise(self) -> None:
        self.safe = bytes(self.content)
        self.safe_names = dict(self.names or {})


class Disk:
    """Takes one call after the other.

    Parameters
    ----------
    folder
        Is there, and empty, before the first call; what is elsewhere is left out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = _File(names={})

    def take(self, call: Call) -> None:
        """Do what a call did."""
        if call.result < 0:
            return
        texts = [_unescaped(text) for text in _TEXT.findall(call.rest)]
        on = _DESCRIPTOR.match(call.rest)
        if call.name == "openat":
            self._opened(Path(texts[0].decode()), call.rest)
        elif call.name.startswith("mkdir"):
            self._put(Path(texts[0].decode()), _File(names={}))
        elif call.name.startswith("unlink"):
            self._taken_out(Path(texts[0].decode()))
        elif call.name.startswith("rename"):
            source, target = (Path(text.decode()) for text in texts)
            if (file := self._taken_out(source)) is not None:
                self._put(target, file)
        elif on is not None and (file := self._at(Path(on[1]))) is not None:
            _change(file, call, texts)

    def leave(self, target: Path, *, safe_names: bool, safe_content: bool) -> None:
        """Write what a power failure now leaves: what is safe alone, or all of it."""
        _leave(self._root, target, safe_names, safe_content)

    def _opened(self, path: Path, how: str) -> None:
        file = self._at(path)
        if file is None and "O_CREAT" in how:
            self._put(path, _File())
        elif file is not None and "O_TRUNC" in how:
            file.content.clear()

    def _at(self, path: Path) -> _File | None:
        file: _File | None = self._root
        if path != self._folder and self._folder not in path.parents:
            return None
        for part in path.relative_to(self._folder).parts:
            file = None if file is None else (file.names or {}).get(part)
        return file

    def _put(self, path: Path, file: _File) -> None:
        folder = self._at(path.parent)
        if folder is not None and folder.names is not None:
            folder.names[path.name] = file

    def _taken_out(self, path: Path) -> _File | None:
        folder = self._at(path.parent)
        return None if folder is None else (folder.names or {}).pop(path.name, None)


def _change(file: _File, call: Call, texts: Sequence[bytes]) -> None:
    if call.name in ("fsync", "fdatasync"):
        file.synchronise()
    elif call.name == "ftruncate":
        length = int(call.rest.rpartition(", ")[2])
        del file.content[length:]
        file.content.extend(bytes(length - len(file.content)))
    elif texts:
        written = texts[0][: call.result]
        assert len(written) == call.result, "the trace was cut short"
        # Who writes without a place begins a file and goes on.
        place = len(file.content)
        if call.name == "pwrite64":
            place = int(call.rest.rpartition(", ")[2])
            file.content.extend(bytes(max(0, place - len(file.content))))
        file.content[place : place + len(written)] = written


def _leave(file: _File, target: Path, safe_names: bool, safe_content: bool) -> None:
    if file.names is None:
        target.write_bytes(file.safe if safe_content else file.content)
        return
    target.mkdir()
    for name, each in (file.safe_names if safe_names else file.names).items():
        _leave(each, target / name, safe_names, safe_content)


def _unescaped(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")
