"""Which radiographs stand for a folder: looked through, described, drawn by strata."""
