"""The light bundle that ships with the package: a light decoder for the shipped network's own."""
