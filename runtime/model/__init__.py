"""The bundle that ships with the package (see MODEL_CARD.md; weights CC BY-NC-SA 4.0)."""
