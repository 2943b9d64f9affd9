"""How long a score takes: end to end, by stages, from a cold start, against before."""
