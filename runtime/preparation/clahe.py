"""Contrast-limited adaptive histogram equalisation, equal to scikit-image's to the last grey level.

The image is cut into tiles; each tile's histogram, its peaks clipped and spread, gives a grey-level
map; each pixel takes the bilinear mean of the maps of the four nearest tiles (Zuiderveld, Graphics
Gems IV, 1994). Networks trained behind ``skimage.exposure.equalize_adapthist`` want its numbers,
so its choices of rounding are kept: 2^14 grey levels, 256 bins, tiles of an eighth of the image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GREYS = 2**14
_BINS = 256
# scikit-image's width of a bin, one more than 16384 / 256: the last bins stay empty.
_BIN_WIDTH = 1 + _GREYS // _BINS
_TILES = 8


def equalize_adaptive(image: NDArray[np.float32], clip_limit: float = 0.01) -> NDArray[np.float32]:
    """Equalise an image adaptively.

    Parameters
    ----------
    image
        float32 ``[rows, columns]``, 0 to 1, not constant, at least 8 x 8 pixels.
    clip_limit
        The share of a tile's pixels that one bin may hold, 0 to 1.

    Returns
    -------
    NDArray[np.float32]
        ``[rows, columns]``, stretched to 0..1.
    """
    tiling = _Tiling.of(image.shape[0], image.shape[1])
    bins = tiling.pad(_to_bins(image))
    maps = _tile_maps(tiling.tiles(bins), clip_limit)
    result = tiling.crop(_interpolate(bins, maps, tiling)).astype(np.float32)
    lowest, highest = float(result.min()), float(result.max())
    if highest <= lowest:
        return np.zeros_like(result)
    return (result - np.float32(lowest)) / np.float32(highest - lowest)


@dataclass(frozen=True)
class _Tiling:
    """The tiles of an image: their size, and the border that completes and surrounds them."""

    height: int
    width: int
    border: tuple[tuple[int, int], tuple[int, int]]

    @classmethod
    def of(cls, rows: int, columns: int) -> "_Tiling":
        height, width = rows // _TILES, columns // _TILES
        return cls(height, width, (_border(rows, height), _border(columns, width)))

    def pad(self, image: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.pad(image, self.border, mode="reflect")

    def crop(self, padded: NDArray[np.uint16]) -> NDArray[np.uint16]:
        (top, bottom), (left, right) = self.border
        return padded[top : padded.shape[0] - bottom, left : padded.shape[1] - right]

    def tiles(self, padded: NDArray[np.intp]) -> NDArray[np.intp]:
        """Cut to ``[tile rows, tile columns, pixels]``, the half-tile border left out."""
        down = padded.shape[0] // self.height - 1
        across = padded.shape[1] // self.width - 1
        top, left = self.height // 2, self.width // 2
        inner = padded[top : top + down * self.height, left : left + across * self.width]
        blocks = inner.reshape(down, self.height, across, self.width).swapaxes(1, 2)
        return blocks.reshape(down, across, -1)


def _border(length: int, tile: int) -> tuple[int, int]:
    return tile // 2, -length % tile + (tile + 1) // 2


def _to_bins(image: NDArray[np.float32]) -> NDArray[np.intp]:
    # Through 16 bits first, as scikit-image does; it decides ties of the later rounding.
    levels = np.clip(np.rint(image * np.float32(65535)), 0, 65535).astype(np.float64)
    levels = (levels - levels.min()) / max(float(np.ptp(levels)), 1.0)
    return np.rint(levels * (_GREYS - 1)).astype(np.intp) // _BIN_WIDTH


def _tile_maps(tiles: NDArray[np.intp], clip_limit: float) -> NDArray[np.float64]:
    """Give each tile's map from bin to grey level: ``[tile rows + 2, tile columns + 2, bins]``."""
    down, across, pixels = tiles.shape
    limit = max(int(clip_limit * pixels), 1)
    histograms = [np.bincount(tile, minlength=_BINS) for tile in tiles.reshape(-1, pixels)]
    clipped = np.stack([_clip_histogram(histogram, limit) for histogram in histograms])
    greys = np.minimum(np.cumsum(clipped, axis=1) * ((_GREYS - 1) / pixels), _GREYS - 1)
    maps = np.floor(greys).reshape(down, across, _BINS)
    return np.pad(maps, ((1, 1), (1, 1), (0, 0)), mode="edge")


def _clip_histogram(histogram: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """Cut what exceeds `limit` and spread it over the other bins, none above `limit`."""
    excess = int(np.maximum(histogram - limit, 0).sum())
    share = excess // _BINS
    clipped = np.minimum(histogram, limit)
    raised = np.where(clipped < limit - share, clipped + share, clipped)
    # As in scikit-image, bins that the share lifted near the limit are filled up to it as well.
    raised[raised >= limit - share] = limit
    excess -= int((raised - clipped).sum())
    return _spread_rest(raised, limit, excess)


def _spread_rest(histogram: NDArray[np.intp], limit: int, excess: int) -> NDArray[np.intp]:
    """Add what is left one by one, at even distances among the bins."""
    while excess > 0:
        before = excess
        for first in range(_BINS):
            open_bins = histogram < limit
            stride = max(1, int(open_bins.sum()) // excess)
            chosen = open_bins[first::stride]
            histogram[first::stride] += chosen
            excess -= int(chosen.sum())
            if excess <= 0:
                break
        if excess == before:
            break
    return histogram


def _interpolate(
    bins: NDArray[np.intp], maps: NDArray[np.float64], tiling: _Tiling
) -> NDArray[np.uint16]:
    """Map each pixel through its four nearest tiles' maps, weighted by nearness."""
    rows, columns = np.ogrid[: bins.shape[0], : bins.shape[1]]
    row_share = rows % tiling.height / tiling.height
    column_share = columns % tiling.width / tiling.width
    table = maps.ravel()
    result = np.zeros(bins.shape, np.float32)
    for below in (0, 1):
        for right in (0, 1):
            first = (rows // tiling.height + below) * maps.shape[1]
            tile = first + columns // tiling.width + right
            row_weight = row_share if below else 1 - row_share
            weight = row_weight * (column_share if right else 1 - column_share)
            # Summed in single precision, as in scikit-image, whose result is then truncated.
            result += (table[tile * _BINS + bins] * weight).astype(np.float32)
    return result.astype(np.uint16)
