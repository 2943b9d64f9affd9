"""The measured sections of a page, each between two markers; all else is left as it is."""

from collections.abc import Iterable, Mapping, Sequence

from ...runtime.errors import BenchmarkError

Lines = Sequence[str]


def begin(name: str) -> str:
    """The line before a measured section."""
    return f"<!-- measured: {name} -->"


def end(name: str) -> str:
    """The line behind it."""
    return f"<!-- end of {name} -->"


def new_page(title: str, names: Iterable[str]) -> str:
    """A page with empty sections, to be filled and written around."""
    sections = [line for name in names for line in ("", begin(name), end(name))]
    return "\n".join([f"# {title}", *sections]) + "\n"


def check_sections(page: str, names: Iterable[str]) -> None:
    """Refuse a page that lacks a section, before work goes into what is to stand there.

    Raises
    ------
    BenchmarkError
        Names the section and the markers it needs.
    """
    for name in names:
        _find(page.splitlines(), name)


def fill_sections(page: str, contents: Mapping[str, Lines]) -> str:
    """Replace what stands between the markers of the given sections.

    Parameters
    ----------
    page
        The page's text.
    contents
        Lines by section name.

    Raises
    ------
    BenchmarkError
        A section's markers are not there, or in the wrong order.
    """
    lines = page.splitlines()
    for name, content in contents.items():
        first, last = _find(lines, name)
        lines[first + 1 : last] = ["", *content, ""]
    return "\n".join(lines) + "\n"


def _find(lines: Sequence[str], name: str) -> tuple[int, int]:
    try:
        first = lines.index(begin(name))
        return first, lines.index(end(name), first)
    except ValueError:
        raise BenchmarkError(
            f"the page has no section {name!r}; put {begin(name)!r} and {end(name)!r} on two "
            "lines of their own where it belongs"
        ) from None
