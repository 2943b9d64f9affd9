"""Benchmarks: latency, floor and agreement of bundles on this machine."""
