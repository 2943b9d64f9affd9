"""Looking at the node: health, metrics, an interface for programs, and a page for people."""
