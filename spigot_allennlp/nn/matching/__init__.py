"""
Matchings between two sets: the best matching.

The files, in the order to read them:

1. `matching.py`: the public functions, and tensors to and from the kernel.
2. `kernels.py`: the shortest augmenting paths, compiled.
"""
