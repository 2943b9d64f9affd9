"""The graph that networks are built and rewritten in, and its form as ONNX."""
