"""What is in an image, a bundle, an engine, a machine: looked at, not changed."""
