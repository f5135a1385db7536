"""Non-projective trees: argmax, sums and samples."""
