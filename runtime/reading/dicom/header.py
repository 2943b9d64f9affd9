"""Reading a DICOM header when anything may be wrong with it.

pydicom converts a value when it is first asked for, so a damaged element raises late and almost
anything: ValueError, TypeError, AttributeError, NotImplementedError, BytesLengthException... All of
that is caught in one place, `refusing_damage`, and told by the element's keyword and the
exception's type; the exception's text may hold what the element holds, and is dropped.
"""

import logging
import math
import threading
import warnings
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import ClassVar

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ...errors import BrixiaEdgeError, UnreadableImage

_CORRECT = "Have it corrected where the image comes from, or export the image anew"
"""What to do about one bad element; a further copy of the file would have it, too."""

_WIDEST = 64
"""Bits of a whole number that is turned into a float as it is; wider ones may be infinite."""


@contextmanager
def refusing_damage(what: str) -> Generator[None, None, None]:
    """Turn whatever a damaged file makes a library raise into `UnreadableImage`.

    Except for MemoryError, which tells of a large file and not of a damaged one.

    Parameters
    ----------
    what
        The keyword of the element, or the part of the file, that is being read.

    Raises
    ------
    UnreadableImage
        The block raised anything that is not one of brixia-edge's own errors.
    """
    try:
        yield
    except (BrixiaEdgeError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        # BaseException: the RLE decoder, written in Rust, panics with no less.
        # From None: a traceback would print the text that the message leaves out.
        raise UnreadableImage(
            f"{what} of the DICOM file cannot be read ({type(error).__name__}): the file is "
            "damaged or cut off. Copy it again from its source"
        ) from None


@contextmanager
def refusing_value(keyword: str) -> Generator[None, None, None]:
    """Turn whatever the value of one element makes pydicom raise into `UnreadableImage`.

    Raises
    ------
    UnreadableImage
        The block raised anything that is not one of brixia-edge's own errors.
    """
    try:
        yield
    except (BrixiaEdgeError, MemoryError):
        raise
    except Exception as error:
        # From None, as above.
        raise UnreadableImage(
            f"{keyword} of the DICOM file holds no possible value ({type(error).__name__}), and "
            f"the image cannot be read without it. {_CORRECT}"
        ) from None


@dataclass(frozen=True)
class Header:
    """A DICOM dataset, its values given in plain Python types.

    An absent element and an empty one are the same here: files from hospitals mix them freely.
    """

    dataset: Dataset

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.dataset

    def written(self, keyword: str) -> tuple[str, ...]:
        """The values of a text element as they are written, stripped, empty ones left out."""
        with refusing_value(keyword):
            values = (str(value).strip(" \0") for value in self._values(keyword))
            return tuple(value for value in values if value)

    def texts(self, keyword: str) -> tuple[str, ...]:
        """The values of a text element, upper-case and stripped, empty ones left out."""
        return tuple(value.upper() for value in self.written(keyword))

    def text(self, keyword: str) -> str:
        """The first value of a text element, or an empty text."""
        return next(iter(self.texts(keyword)), "")

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """The values of a numeric element, those that are no finite number left out."""
        with refusing_value(keyword):
            values = map(_number, self._values(keyword))
            return tuple(value for value in values if value is not None and math.isfinite(value))

    def integer(self, keyword: str) -> int | None:
        """The first value of a numeric element as a whole number, or None.

        Raises
        ------
        UnreadableImage
            The value is not a whole number.
        """
        first = next(iter(self.numbers(keyword)), None)
        if first is not None and first != int(first):
            raise UnreadableImage(f"{keyword} is {first}; a whole number is needed. {_CORRECT}")
        return None if first is None else int(first)

    def required(self, keyword: str) -> int:
        """The first value of a numeric element that an image cannot be read without.

        Raises
        ------
        UnreadableImage
            The element is absent, empty or not a whole number.
        """
        value = self.integer(keyword)
        if value is None:
            raise UnreadableImage(
                f"{keyword} is missing from the DICOM file; without it the pixels cannot be "
                "read. Export the image again from its source"
            )
        return value

    def items(self, keyword: str) -> tuple["Header", ...]:
        """The items of a sequence, none when it is absent."""
        with refusing_value(keyword):
            values = self._values(keyword)
            return tuple(Header(value) for value in values if isinstance(value, Dataset))

    def raw(self, keyword: str) -> bytes | None:
        """The bytes of a binary element, or None when it is absent or read as numbers."""
        with refusing_damage(keyword):
            value: object = self.dataset.get(keyword)
            return value if isinstance(value, bytes) else None

    def _values(self, keyword: str) -> Iterable[object]:
        value: object = self.dataset.get(keyword)
        if value is None:
            return ()
        if isinstance(value, (MultiValue, list, tuple)) or _is_sequence(value):
            return tuple(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType, reportArgumentType]
        return (value,)


def _number(value: object) -> float | None:
    """Give a value as a number, None where it is empty."""
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and value.bit_length() < _WIDEST:
        return float(value)
    text = str(value).strip()
    return float(text) if text else None


def _is_sequence(value: object) -> bool:
    return type(value).__name__ == "Sequence"


class _Silence:
    """Keeps pydicom's and its decoders' remarks, which quote patient data, off standard error.

    Counted, because the state it turns is the process's: the first thread in turns it, the last
    one out turns it back.
    """

    lock: ClassVar[threading.Lock] = threading.Lock()
    loggers: ClassVar[tuple[str, ...]] = (
        "pydicom",
        "highdicom",
        "pylibjpeg",
        "openjpeg",
        "libjpeg",
        "rle",
    )
    inside: ClassVar[int] = 0
    undo: ClassVar[ExitStack] = ExitStack()

    @classmethod
    def enter(cls) -> None:
        with cls.lock:
            cls.inside += 1
            if cls.inside == 1:
                cls.undo.enter_context(warnings.catch_warnings())
                for name in cls.loggers:
                    cls._quieten(name)

    @classmethod
    def leave(cls) -> None:
        with cls.lock:
            cls.inside -= 1
            if cls.inside == 0:
                cls.undo.close()

    @classmethod
    def _quieten(cls, name: str) -> None:
        warnings.filterwarnings("ignore", module=rf"{name}(\.|$)")
        logger = logging.getLogger(name)
        cls.undo.callback(logger.setLevel, logger.level)
        # A level reaches the loggers below, as a filter would not.
        logger.setLevel(logging.CRITICAL + 1)


@contextmanager
def silence() -> Generator[None, None, None]:
    """Let no warning and no log line of pydicom and its decoders out of the block."""
    _Silence.enter()
    try:
        yield
    finally:
        _Silence.leave()
