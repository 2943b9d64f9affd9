"""A bundle: manifest, files, digests, engines; opened, verified, written."""
