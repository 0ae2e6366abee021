"""Benchmarks of the code, run by asv: time, peak memory, and counts."""
