"""The wire format of Protocol Buffers, as far as looking at an ONNX file takes it."""

from collections.abc import Iterator

Value = int | memoryview
"""Of a field: a number, or bytes of whatever it is."""

NO_ONNX = "is no ONNX file"


class Refused(Exception):
    """What is wrong with the file, as the end of a sentence."""


def fields_of(content: memoryview) -> Iterator[tuple[int, Value]]:
    """Give the fields of a message, by their numbers: numbers, or bytes of whatever they are."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        wire = key & 7
        if wire == 0:
            value, place = _varint(content, place)
            yield key >> 3, value
            continue
        if wire == 2:
            length, place = _varint(content, place)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise Refused(NO_ONNX)
        if length > len(content) - place:
            raise Refused("ends too early")
        yield key >> 3, content[place : place + length]
        place += length


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    """An unsigned number of seven bits a byte, and where it ends."""
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            raise Refused("ends too early")
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise Refused(NO_ONNX)


def content_of(value: Value) -> memoryview:
    """Give a field's bytes; a number is none."""
    if isinstance(value, int):
        raise Refused(NO_ONNX)
    return value


def numbers_of(values: list[Value]) -> Iterator[int]:
    """Give the numbers of a repeated field: packed into bytes, or one to a field."""
    for value in values:
        if isinstance(value, int):
            yield value
            continue
        place = 0
        while place < len(value):
            number, place = _varint(value, place)
            yield number
