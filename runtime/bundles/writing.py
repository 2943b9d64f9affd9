"""A bundle is written whole or not at all, and onto nothing but a bundle."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..documents import LARGEST_DOCUMENT
from ..errors import BundleError, OutputRefused
from ..files import PART_SUFFIX, digest, locked, read_file, why, write_file
from .bundle import Bundle
from .manifest import MANIFEST, Manifest


def write_bundle(
    target: Path, manifest: Manifest, files: Mapping[str, bytes], overwrite: bool = False
) -> Bundle:
    """Write a bundle so that it appears whole or not at all.

    Parameters
    ----------
    target
        The directory to create.
    manifest
        Its `files` are filled in here.
    files
        Contents by relative path.
    overwrite
        Replace an existing bundle; anything else that exists is never replaced.

    Raises
    ------
    OutputRefused
        As from `check_target`.
    BundleError
        It cannot be written.
    """
    check_target(target, overwrite)
    place = Path(os.path.realpath(target))
    manifest = replace(manifest, files={name: digest(data) for name, data in files.items()})
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".bundle-", dir=place.parent) as workshop:
            staged = Path(workshop) / "bundle"
            _write_files(staged, {**files, MANIFEST: manifest.to_json().encode()})
            check_target(target, overwrite)  # which may have changed in hours
            _put_in_place(staged, place, Path(workshop) / "replaced")
    except OSError as error:
        raise BundleError(f"bundle {target} cannot be written: {why(error)}") from error
    return Bundle(target, manifest)


def _put_in_place(staged: Path, target: Path, replaced: Path) -> None:
    """Move a finished bundle to its target; what stood there comes back if that fails."""
    if target.exists():
        target.rename(replaced)
    try:
        staged.rename(target)
    except OSError:
        if replaced.exists():
            replaced.rename(target)
        raise


def check_target(target: Path, overwrite: bool = False) -> None:
    """Refuse a target that may not be replaced, before work goes into what it is to hold.

    Raises
    ------
    OutputRefused
        It exists, and is no bundle, holds other files than a bundle's, or may not be overwritten.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / MANIFEST).is_file():
        raise OutputRefused(f"{target} already exists (it is no bundle); choose another directory")
    if other := next(_others(target), None):
        raise OutputRefused(
            f"{target} already exists (with {other}, which no bundle lists); choose another "
            "directory, or move that file away"
        )
    if not overwrite:
        raise OutputRefused(
            f"{target} already exists (give --overwrite to replace it); choose another directory"
        )


def _others(folder: Path) -> Iterator[str]:
    """What a bundle's folder holds beside its manifest and the files that this lists."""
    try:
        listed = Manifest.from_json(read_file(folder / MANIFEST, LARGEST_DOCUMENT)).files
    except (OSError, BundleError):
        listed = dict[str, str]()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        is_file = path.is_symlink() or not path.is_dir()
        if is_file and name not in (MANIFEST, *listed) and not name.endswith(PART_SUFFIX):
            yield name


@contextmanager
def bundle_target(target: Path, overwrite: bool = False) -> Generator[None]:
    """Check the directory that a bundle is to be written to, and keep other runs off it.

    Raises
    ------
    OutputRefused
        As from `check_target`, or another run is writing it.
    OSError
        It cannot be written to.
    """
    check_target(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target):
        yield


@contextmanager
def bundle_to_change(root: Path) -> Generator[Bundle]:
    """Open a bundle that is to be changed where it lies, and keep other runs off it.

    Raises
    ------
    BundleError
        As from `Bundle.open`.
    OutputRefused
        Another run is changing it.
    OSError
        It cannot be written to.
    """
    if not (root / MANIFEST).is_file():
        Bundle.open(root)  # which says so: what is no bundle is not written into
    with locked(root / "bundle"):
        yield Bundle.open(root)


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, data)
    shutil.copymode(folder.parent.parent, folder)
