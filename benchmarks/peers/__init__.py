"""Other tools' ways to run the same weights, beside ours in one run."""
