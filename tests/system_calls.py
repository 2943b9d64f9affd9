"""What a program asks of the system, by `strace`: which sockets it opens, and what it writes."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TRACED = (
    "socket,bind,connect,sendto,sendmsg,sendmmsg,open,openat,creat,mkdir,mkdirat,mknod,mknodat,symlink,symlinkat,link,linkat,"
    "rename,renameat,renameat2,truncate"
)
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)")
_UNFINISHED = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_TEXT = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_TO_WRITE = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE")

_NETWORK = ("socket", "bind", "connect", "sendto", "sendmsg", "sendmmsg")
_THIS_MACHINE = re.compile(r'"::1"|inet_addr\("127\.')
_LOOKED_UP = re.compile(r'sun_path="[^"]*(nscd|resolve)')


@dataclass(frozen=True)
class Asked:
    """What a program and all the processes that it started asked for, and was given.

    Attributes
    ----------
    status
        The program's exit status.
    told
        What it printed on both streams.
    network
        The calls by which it turned to the network, or asked this machine to look up a name there.
    written
        Every path that was opened to be written, made, or given to something.
    """

    status: int
    told: str
    network: tuple[str, ...]
    written: frozenset[Path]


@cache
def why_not() -> str:
    """Why nothing can be traced here; empty where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "true"],  # noqa: S607 - any strace
        capture_output=True,
        check=False,
    )
    return "" if tried.returncode == 0 else "this system lets no process be traced"


def trace(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Asked:
    """Run a command in a folder and see what it asks for."""
    strace = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={_TRACED}", "-o", str(log)]
    done = subprocess.run(
        [*strace, *command],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    calls = list(calls_of(log.read_text(encoding="utf-8", errors="replace").splitlines()))
    return Asked(
        status=done.returncode,
        told=done.stdout,
        network=tuple(str(call) for call in calls if call.name in _NETWORK and _leads_out(call)),
        written=frozenset(path for call in calls for path in _written(call, folder)),
    )


@dataclass(frozen=True)
class Call:
    """A call: its name, its arguments as they are written, what it gave."""

    name: str
    rest: str
    result: int

    def __str__(self) -> str:
        return f"{self.name}({self.rest})"


def _leads_out(call: Call) -> bool:
    """Whether a call is about the internet, whatever came of it.

    On its import urllib3 makes a socket and binds it to this machine alone, to see whether there is
    IPv6; neither sends anything.
    """
    if call.name == "bind":
        return "AF_INET" in call.rest and not _THIS_MACHINE.search(call.rest)
    if call.name == "socket":
        return "AF_INET" in call.rest and "SOCK_STREAM" not in call.rest
    return "AF_INET" in call.rest or bool(_LOOKED_UP.search(call.rest))


def calls_of(lines: Sequence[str]) -> Iterator[Call]:
    """The calls, those of several threads put together again."""
    begun: dict[str, str] = {}
    for line in lines:
        if unfinished := _UNFINISHED.match(line):
            begun[unfinished[1]] = line.removesuffix(" <unfinished ...>")
            continue
        resumed = _RESUMED.match(line)
        whole = begun.pop(resumed[1], "") + resumed[2] if resumed else line
        if call := _CALL.match(whole):
            yield Call(call[2], call[3], -1 if call[4] == "?" else int(call[4]))


def _written(call: Call, folder: Path) -> Iterator[Path]:
    if call.result < 0 or call.name in _NETWORK:
        return
    if call.name.startswith("open") and not _TO_WRITE.search(call.rest.rpartition('"')[2]):
        return
    *_, (base, text) = _TEXT.findall(call.rest)
    yield folder / base / text.encode().decode("unicode_escape").encode("latin-1").decode()
