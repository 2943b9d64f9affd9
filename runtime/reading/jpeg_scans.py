"""Scan headers of JPEG streams, put right where the frame leaves no choice: ISO 10918-1, B.2.3.

Table B.3 leaves a sequential frame one spectral selection (0 to 63) and no successive
approximation, a lossless frame no end of selection. Old modalities write what they like there;
most readers ignore it, the pinned decoder refuses it, or shifts every sample without a word.
"""

from .image_headers import START_OF_SCAN, jpeg_segments

_SEQUENTIAL = (0xC0, 0xC1, 0xC9)
"""Frames of the sequential cosine transform: baseline, extended, arithmetic."""

_LOSSLESS = (0xC3, 0xCB)
"""Lossless frames; their start of selection is the predictor, their low bits a point transform."""

_PARAMETERS = 3
"""Bytes at the end of a scan header: Ss, Se, and Ah with Al in one."""


def normalised_scans(codestream: bytes) -> bytes:
    """Give a JPEG stream in which each scan header says what its kind of frame allows.

    Parameters
    ----------
    codestream
        A JPEG stream; of a progressive or JPEG-LS one, and of one that is damaged, nothing is
        altered.

    Returns
    -------
    bytes
        A stream of the same length; the same object where nothing was to be altered.
    """
    frame = 0
    altered = bytearray(codestream)
    for marker, start, end in jpeg_segments(codestream):
        if marker in (*_SEQUENTIAL, *_LOSSLESS):
            frame = marker
        if marker == START_OF_SCAN and end - start >= _PARAMETERS:
            place = slice(end - _PARAMETERS, end)
            altered[place] = _normalised(frame, codestream[place])
    normal = bytes(altered)
    return codestream if normal == codestream else normal


def _normalised(frame: int, parameters: bytes) -> bytes:
    if frame in _SEQUENTIAL:
        return bytes((0, 63, 0))
    if frame in _LOSSLESS:
        return bytes((parameters[0], 0, parameters[2] & 0x0F))
    return parameters
