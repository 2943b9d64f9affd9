"""What the program's exit statuses mean; docs/errors.md tells them to users."""

UNSCORED = 1
"""Some input could not be scored or used."""

WRONG_USAGE = 2

UNRUNNABLE = 3
"""Nothing can be scored here, as with a bundle or a backend that cannot run."""
