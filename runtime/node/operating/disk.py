"""Room on the disk."""

import shutil
from pathlib import Path


class Disk:
    """Watches the disk of a folder.

    Parameters
    ----------
    folder
        On which disk.
    reserve
        Bytes that must stay free.
    """

    def __init__(self, folder: Path, reserve: int) -> None:
        self._folder = folder
        self._reserve = reserve

    def free(self) -> int:
        """Bytes that are free; 0 where the system does not tell."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return 0

    def has_room(self) -> bool:
        """Whether more is free than the reserve."""
        return self.free() > self._reserve
