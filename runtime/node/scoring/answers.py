"""The DICOM objects that answer an image: made safe on the disk, under UIDs that never change.

An object's UID follows from the image's, the bundle's digest and the kind. So an answer that is
made again after a crash is the same object to every archive, and not one more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from pydicom.dataset import Dataset

from ...files import digest
from ...reports.dicom.result import encoded
from ...reports.material import Material
from ..receiving.spool import Spool
from ..state.rows import AnswerObject


@dataclass(frozen=True)
class AnswerKind:
    """A kind of answer, and where the function is that makes it of a result's `Material`."""

    name: str
    module: str
    function: str

    def load(self) -> Callable[[Material], Dataset]:
        """Import the function, which may bring heavy libraries."""
        return getattr(import_module(f"...reports.{self.module}", __package__), self.function)


KINDS: Mapping[str, AnswerKind] = {
    kind.name: kind
    for kind in (
        AnswerKind("sr", "dicom.structured_report", "structured_report"),
        AnswerKind("capture", "dicom.secondary_capture", "secondary_capture"),
    )
}
"""By the word for it in the configuration's `send`."""


def answer(material: Material, kinds: Sequence[str], folder: Spool) -> Iterator[AnswerObject]:
    """Make an image's answers and write them; each is safe when it is given.

    Parameters
    ----------
    material
        The score; its file is read again for patient and study.
    kinds
        Keys of `KINDS`.
    folder
        Where objects lie.

    Raises
    ------
    UnsupportedImage, UnreadableImage
        The object lacks what an answer must refer to.
    OSError
        The disk is full or broken.
    """
    for kind in kinds:
        dataset = KINDS[kind].load()(material)
        content = encoded(dataset)
        uid = str(dataset.SOPInstanceUID)
        name = f"{digest(uid.encode())[:32]}-{kind}.dcm"
        folder.write(name, content)
        yield AnswerObject(kind, uid, str(dataset.SOPClassUID), name, digest(content))
