"""What the node knows: one SQLite file; each method of its `Store` is one transaction."""
