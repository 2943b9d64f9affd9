"""What a command needs that is not installed with the package alone."""

from collections.abc import Generator
from contextlib import contextmanager

from ..errors import MissingExtra, pip_line


@contextmanager
def needing(extra: str, called: str) -> Generator[None]:
    """Import in this block what comes with an extra, so that the help works without it.

    Parameters
    ----------
    extra
        The extra's name.
    called
        How a user calls what needs it: ``brixia-edge export``.

    Raises
    ------
    MissingExtra
        A library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra.of(f"`{called}`", str(error.name), pip_line(extra)) from error
