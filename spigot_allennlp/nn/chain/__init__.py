"""Sequences of tags: sums and best sequences."""
