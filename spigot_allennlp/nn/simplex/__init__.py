"""
Euclidean projections onto the box, the simplex and the capped simplex, and their derivatives.

The files, in the order to read them: `simplex.py` has the public functions and the choice between
the other two; `cpu.py` searches for the threshold, compiled; `torch_fallback.py` sorts.
"""
