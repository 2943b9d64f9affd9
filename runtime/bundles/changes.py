"""Putting files into a bundle so that it is a whole one at every moment."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from ..errors import BundleError
from ..files import digest, why, write_file
from .bundle import Bundle
from .manifest import MANIFEST, Manifest


def add_files(bundle: Bundle, files: Mapping[str, bytes]) -> Bundle:
    """Add files, or replace those of the same names, and list them in the manifest.

    Parameters
    ----------
    bundle
        An opened bundle.
    files
        Contents by relative path.

    Raises
    ------
    BundleError
        A file cannot be written; the bundle is as it was.
    """
    digests = {name: digest(data) for name, data in files.items()}
    manifest = replace(bundle.manifest, files={**bundle.manifest.files, **digests})
    return change_files(bundle, manifest, files)


def change_files(bundle: Bundle, manifest: Manifest, added: Mapping[str, bytes]) -> Bundle:
    """Write new files, then the manifest that lists them, then remove what it no longer lists.

    Raises
    ------
    BundleError
        A file cannot be written; the bundle is as it was.
    """
    _write(bundle, {**added, MANIFEST: manifest.to_json().encode()})
    for name in bundle.manifest.files.keys() - manifest.files.keys():
        (bundle.root / name).unlink(missing_ok=True)
    return Bundle(bundle.root, manifest)


def _write(bundle: Bundle, files: Mapping[str, bytes]) -> None:
    """Replace each file by a whole one, in the given order."""
    new = [name for name in files if name not in (*bundle.manifest.files, MANIFEST)]
    try:
        for name, data in files.items():
            (bundle.root / name).parent.mkdir(exist_ok=True)
            write_file(bundle.root / name, data, overwrite=True)
    except OSError as error:
        for name in new:
            with suppress(OSError):
                (bundle.root / name).unlink()
        raise BundleError(
            f"bundle {bundle.root} cannot be changed: {why(error)}; change a copy of "
            "it that you may write to (where there is -o DIR, it makes one)"
        ) from error
