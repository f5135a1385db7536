"""Projective trees: argmax, sums and samples."""
