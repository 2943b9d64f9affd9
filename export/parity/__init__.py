"""What an export changed: in each output, and in scores."""
