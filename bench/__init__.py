"""Benchmarks: every row checks its answer before it is timed."""
