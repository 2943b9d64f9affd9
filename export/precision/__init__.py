"""Precision passes: a float32 graph becomes a strongly typed FP16 or an INT8 (Q/DQ) graph."""
