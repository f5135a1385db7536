"""Measurements of how methods behave, as `benchmarks` measures how fast they are."""
