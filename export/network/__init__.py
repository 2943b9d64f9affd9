"""BS-Net itself: weights from a Keras file, and each part as a graph."""
