"""Where radiographs come from: read here, or in a process of its own within limits."""
