"""The commands of `brixia-edge`: each parses, calls one library function, and prints."""
