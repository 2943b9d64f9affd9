"""TensorRT engines from a bundle: shared steps, and one small builder for each product."""
