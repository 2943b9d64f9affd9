"""Pictures of scores, out of the answers that the node keeps."""

import numpy as np
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType] - not wholly typed

from ..data_folder import DataFolder

_SMALL = 320
"""Columns of a picture for the list."""


def score_picture(data: DataFolder, sop_instance_uid: str, small: bool) -> bytes | None:
    """The picture of an image's score as PNG; None where there is none (any more).

    Parameters
    ----------
    data
        Where answers lie.
    sop_instance_uid
        Which image.
    small
        For a list of many.
    """
    import cv2  # much memory, and most nodes are never looked at

    found = data.store.views.instance(sop_instance_uid)
    files = () if found is None else data.store.inbox.objects_of(found.instance.id)
    captures = [name for name in files if name.endswith("-capture.dcm")]
    if not captures or not data.objects.path(captures[0]).is_file():
        return None
    dataset = dcmread(data.objects.path(captures[0]))
    shape = (dataset.Rows, dataset.Columns, 3)
    size = int(np.prod(shape))
    picture = np.frombuffer(dataset.PixelData, np.uint8, size).reshape(shape)[:, :, ::-1]
    if small and picture.shape[1] > _SMALL:
        rows = round(picture.shape[0] * _SMALL / picture.shape[1])
        picture = cv2.resize(picture, (_SMALL, rows), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", picture)[1].tobytes()
