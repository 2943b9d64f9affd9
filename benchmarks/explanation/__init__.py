"""Whether explanations are faithful, and what they cost."""
