"""Signatures of bundles, by the Sigstore project's `model-signing` and a key pair of one's own.

A signed bundle holds ``model.sig``; nothing of it is looked up anywhere::

    model_signing sign key BUNDLE --private_key key.pem --signature BUNDLE/model.sig
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import BundleError, ConfigurationError, MissingExtra, pip_line

SIGNATURE = "model.sig"
"""The signature's file in a bundle."""


def verify_signature(bundle: Path, public_key: Path) -> None:
    """Refuse a bundle that the holder of a key did not sign as it is.

    Parameters
    ----------
    bundle
        Its folder.
    public_key
        PEM of an elliptic curve's public key.

    Raises
    ------
    BundleError
        It has no signature, or one of another key or of other files.
    ConfigurationError
        The key cannot be read.
    MissingExtra
        `model-signing` is not installed.
    """
    try:
        hashing: Any = import_module("model_signing.hashing")
        verifying: Any = import_module("model_signing.verifying")
    except ModuleNotFoundError as error:
        raise MissingExtra.of("verification", "model-signing", pip_line("signing")) from error
    signature = bundle / SIGNATURE
    if not signature.is_file():
        raise BundleError(f"the bundle has no {SIGNATURE}, and [score] names a verification_key")
    covered = hashing.Config().set_ignored_paths(paths=[signature])
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"[score]: {public_key} is no public key: {error}") from error
    try:
        verifier.set_hashing_config(covered).verify(bundle, signature)
    # What a broken signature raises depends on where it is broken.
    except Exception as error:
        raise BundleError(
            f"the bundle's {SIGNATURE} is none of {public_key} over its files "
            f"({type(error).__name__}); get the bundle again from who signed it"
        ) from error
