"""Compares variants by the records of their runs, and writes the report of an ablation."""
