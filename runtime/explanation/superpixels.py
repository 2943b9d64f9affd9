"""Pieces of lung that belong together: SLIC super-pixels (Achanta et al., TPAMI 34 (2012) 2274)."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import LUNG_THRESHOLD
from ..errors import MissingExtra, UnsupportedImage, pip_line

SUPERPIXELS = 180
"""About as many as the paper cuts the lungs into."""

_COMPACTNESS = 0.1  # for greys of 0 to 1: pieces follow edges and stay about as wide as high
_SMOOTHING = 1.0  # pixels, for the cutting alone: noise would tear the pieces apart
_FEWEST_PIXELS = 64  # of lung; less is no lung, and cannot be cut into pieces


def lung_superpixels(
    image: NDArray[np.float32], lung_mask: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Cut the lungs into super-pixels.

    Parameters
    ----------
    image
        float32 ``[512, 512]``, the network's input.
    lung_mask
        float32 ``[512, 512]``, as `Prediction.lung_mask`.

    Returns
    -------
    NDArray[np.int32]
        int32 ``[512, 512]``: 0 outside the lungs, else 1, 2 ... without a gap; about
        `SUPERPIXELS` of them.

    Raises
    ------
    UnsupportedImage
        The network found no lungs.
    MissingExtra
        scikit-image is not installed.
    """
    lungs = lung_mask > LUNG_THRESHOLD
    if np.count_nonzero(lungs) < _FEWEST_PIXELS:
        raise UnsupportedImage(
            "the network found no lungs, so there is nothing to blank; give --method evidence"
        )
    segments = _segmentation().slic(
        image,
        n_segments=SUPERPIXELS,
        compactness=_COMPACTNESS,
        sigma=_SMOOTHING,
        mask=lungs,
        channel_axis=None,
        start_label=1,
    )
    labels = np.unique(segments, return_inverse=True)[1].reshape(segments.shape)
    return labels.astype(np.int32) + (0 if (segments == 0).any() else 1)


def _segmentation() -> Any:
    try:
        return import_module("skimage.segmentation")
    except ModuleNotFoundError as error:
        raise MissingExtra.of("the method occlusion", "scikit-image", pip_line("report")) from error
