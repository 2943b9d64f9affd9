"""Files: told apart by one digest, read within limits, written whole or not at all.

A file is written beside its place, under a name of `part_of`, and takes its own name once it is
whole and on the disk. While it is written it is locked, so that another run which is to write the
same file is refused. A run that was killed leaves its part; the next to write that file takes it
over.
"""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .errors import OutputRefused

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PART_SUFFIX = ".brixia-part"
"""How the name of a file ends that is not whole yet."""

_LONGEST_STEM = 240  # bytes; file systems take names of 255
_READ_AT_ONCE = 1 << 20
_HAS_LOCKS = find_spec("fcntl") is not None  # not so on Windows


def digest(content: bytes | Iterable[bytes]) -> str:
    """SHA-256 in hexadecimal, of bytes or of several one behind the other."""
    found = hashlib.sha256()
    for part in [content] if isinstance(content, bytes) else content:
        found.update(part)
    return found.hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a regular file's content, in hexadecimal.

    Raises
    ------
    OSError
        It cannot be read, or is no regular file; `strerror` says which.
    """
    with open_regular(path) as file:
        return digest(iter(lambda: file.read(_READ_AT_ONCE), b""))


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read: no named pipe, which may never end, no device and no folder.

    Raises
    ------
    OSError
        It cannot be opened, or is no regular file; `strerror` says which.
    """
    _require_regular(os.stat(path), path)
    # Should a pipe have taken the file's place meanwhile, opening it does not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        _require_regular(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_file(path: Path, limit: int) -> bytes:
    """Read a regular file of a limited length.

    Parameters
    ----------
    path
        The file, or a link to one.
    limit
        The most bytes that are read.

    Raises
    ------
    OSError
        It cannot be read, is no regular file, or is longer than the limit; `strerror` says which.
    """
    with open_regular(path) as file:
        content = file.read(min(os.fstat(file.fileno()).st_size, limit) + 1)
    if len(content) > limit:
        reason = f"it is longer than {limit:,} bytes, the most that are read"
        raise OSError(errno.EFBIG, reason, str(path))
    return content


def _require_regular(status: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file but a pipe or a device", str(path))


def write_file(path: Path, content: bytes, overwrite: bool = False) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    OutputRefused, OSError
        As from `staged`.
    """
    with staged(path, overwrite) as file:
        file.write(content)


def write_together(folder: Path, contents: Mapping[str, bytes], overwrite: bool = False) -> None:
    """Write files of one folder, all or none; the first name comes last.

    Raises
    ------
    OutputRefused, OSError
        As from `staged`.
    """
    with ExitStack() as stack:
        for name, content in contents.items():
            file = stack.enter_context(staged(folder / name, overwrite))
            file.write(content)
            # A disk that is full shows here, before the first of them has its name.
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def staged(path: Path, overwrite: bool = False, keep: bool = False) -> Generator[BinaryIO]:
    """Open a file that gets its name when the block ends, and leaves nothing when it fails.

    A link is followed. What is no file but a device or a pipe, as ``/dev/stdout``, is written
    into directly.

    Parameters
    ----------
    path
        Where to write, in a folder that exists.
    overwrite
        Replace a file that exists.
    keep
        Keep what was written when the block fails, for `appended` to go on with; nor is what an
        earlier block left lost unasked.

    Raises
    ------
    OutputRefused
        It exists and is not to be replaced, is a folder, or another run is writing it.
    OSError
        It cannot be written; `strerror` says why, a full disk, too.
    """
    check_target(path, overwrite)
    if path.exists() and not path.is_file():
        with _open_output(os.open(path, os.O_WRONLY), path) as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    with _part(target, keep) as descriptor:
        if keep and not overwrite and os.fstat(descriptor).st_size:
            raise OutputRefused(
                f"a run that was cut short left results for {path} in {part_of(target).name}; give "
                "--resume to go on with them, or --overwrite to begin anew"
            )
        os.ftruncate(descriptor, 0)
        with _open_output(descriptor, path, close=False) as file:
            yield file
        _settle(descriptor, target, path, overwrite)


@contextmanager
def appended(path: Path) -> Generator[BinaryIO]:
    """Open a file to add to it: one that exists, what a kept `staged` left of it, or a new one.

    Raises
    ------
    OutputRefused
        Another run is writing it.
    OSError
        It cannot be written; `strerror` says why.
    """
    target = Path(os.path.realpath(path))
    if rest := rest_of(path):
        with _part(target, keep=True):
            os.replace(rest, target)
    with _part(target):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with _open_output(os.open(target, flags, 0o666), path) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


def rest_of(path: Path) -> Path | None:
    """What a kept `staged` that was cut short left of a file that is not there."""
    target = Path(os.path.realpath(path))
    part = part_of(target)
    left = not target.exists() and part.is_file() and part.stat().st_size
    return part if left else None


def check_target(path: Path, overwrite: bool = False) -> None:
    """Refuse a file that may not be written, before any work is done.

    Raises
    ------
    OutputRefused
        It is a folder, or exists and is not to be replaced.
    """
    if path.is_dir():
        raise OutputRefused(f"{path} is a folder; give the file to write")
    if path.is_file() and not overwrite:
        raise OutputRefused(
            f"{path} already exists; give --overwrite to replace it, or another file"
        )


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Keep other runs from writing a file or a folder while the block lasts.

    Where the system or the file system has no locks, nothing is kept off.

    Raises
    ------
    OutputRefused
        Another run is writing it.
    OSError
        The folder that it lies in cannot be written.
    """
    with _part(Path(os.path.realpath(path))):
        yield


def part_of(path: Path) -> Path:
    """Where a file is written until it is whole; a lock on it is the lock on the file."""
    stem = os.fsdecode(os.fsencode(path.name)[:_LONGEST_STEM])
    return path.with_name(f".{stem}{PART_SUFFIX}")


def why(error: OSError) -> str:
    """Say why something cannot be read or written, in words for the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({os.strerror(error.errno)})"
    return error.strerror or str(error) or type(error).__name__


@contextmanager
def _part(target: Path, keep: bool = False) -> Generator[int]:
    """Open and lock the part of a file; it is gone afterwards, under this name.

    With `keep` it is only when nothing is in it.
    """
    part = part_of(target)
    descriptor = _lock_part(part, target)
    try:
        yield descriptor
    finally:
        # Before the lock is given up: whoever opens the name later makes a new file.
        if _is(descriptor, part) and not (keep and os.fstat(descriptor).st_size):
            part.unlink()
        os.close(descriptor)


def _lock_part(part: Path, target: Path) -> int:
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(part, flags, 0o666)
        except OSError as error:
            raise OSError(error.errno, why(error), str(target)) from error
        try:
            _lock(descriptor, target)
            # Another run may have given the file its name between opening and locking.
            if _is(descriptor, part):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, target: Path) -> None:
    if not _HAS_LOCKS:
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputRefused(
            f"{target} is being written by another run; wait for it to end, or write elsewhere"
        ) from error
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):
            raise


def _is(descriptor: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    return False


def _settle(descriptor: int, target: Path, path: Path, overwrite: bool) -> None:
    """Bring a whole part to the disk and give it its name."""
    # Somebody may have put a file there meanwhile.
    check_target(path, overwrite)
    try:
        if target.exists():
            os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode))
        os.fsync(descriptor)
        os.replace(part_of(target), target)
    except OSError as error:
        raise OSError(error.errno, why(error), str(path)) from error


def _open_output(descriptor: int, path: Path, close: bool = True) -> io.BufferedWriter:
    return io.BufferedWriter(_Output(descriptor, path, close))


class _Output(io.FileIO):
    """A file whose errors name it and say why: those of a write know neither."""

    def __init__(self, descriptor: int, path: Path, close: bool) -> None:
        super().__init__(descriptor, "wb", closefd=close)
        self._path = path

    def write(self, content: "ReadableBuffer", /) -> int:
        """Write bytes; see `io.FileIO.write`."""
        try:
            return super().write(content)
        except OSError as error:
            raise OSError(error.errno, why(error), str(self._path)) from error
