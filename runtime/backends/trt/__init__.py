"""TensorRT and TensorRT-RTX: engines, buffers, graphs, and the two ways to a GPU."""
