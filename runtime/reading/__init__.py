"""A file becomes a radiograph: formats told apart, limits kept, pixels decoded, doubts kept."""
