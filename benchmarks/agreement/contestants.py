"""What takes part: a network file on a backend, under a name."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from ...runtime.backends import AUTO, BACKENDS, open_session
from ...runtime.backends.base import Session
from ...runtime.bundles.bundle import Bundle


@dataclass(frozen=True)
class Contestant:
    """A bundle on a backend.

    Attributes
    ----------
    name
        Tells it apart from the others.
    bundle
        Any bundle; the preparation of all contestants must be the same.
    backend
        A name of `runtime.backends.backend_names`.
    """

    name: str
    bundle: Bundle
    backend: str


def pair(bundles: Iterable[Bundle], backends: Sequence[str]) -> list[Contestant]:
    """Every bundle on every backend.

    Parameters
    ----------
    bundles
        The first gives the reference.
    backends
        ``auto`` stands for every installed backend that needs no engine, or whose engine the
        bundle holds.
    """
    return [
        Contestant(f"{bundle.identity.name} {bundle.identity.kind}, {backend}", bundle, backend)
        for bundle in bundles
        for backend in _expand(bundle, backends)
    ]


def _expand(bundle: Bundle, backends: Sequence[str]) -> Iterator[str]:
    engines = {entry.get("backend") for entry in bundle.manifest.engines}
    for name in backends:
        if name != AUTO:
            yield name
            continue
        for row in BACKENDS:
            if not row.missing and (not row.needs_engine or row.name in engines):
                yield row.name


@contextmanager
def open_all(
    contestants: Iterable[Contestant], threads: int | None = None
) -> Generator[list[Session]]:
    """Sessions of all contestants at once, closed at the end.

    Raises
    ------
    BackendUnavailable, EngineMismatch
        One of them cannot run.
    """
    with ExitStack() as opened:
        yield [
            opened.enter_context(open_session(each.bundle, each.backend, threads))
            for each in contestants
        ]
