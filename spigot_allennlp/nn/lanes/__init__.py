"""Loops over batches in lanes, one instance in each, so that they become vector code."""
