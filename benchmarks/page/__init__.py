"""docs/performance.md: what was measured is written by a command, what it means by hand."""
