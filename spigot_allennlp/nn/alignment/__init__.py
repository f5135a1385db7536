"""
Monotone alignments of two sequences: the best alignment, sums over all alignments, and samples.

The files, in the order to read them:

1. `alignment.py`: the public functions, and the choice between kernels and torch.
2. `cpu.py`: tensors to and from the kernels.
3. `kernels.py`: the recurrence over cells, the best alignment and samples, compiled.
4. `sums.py`: the log-partition, the marginals and their derivative, compiled.
5. `torch_fallback.py`: the recurrence in vectorised torch, for other devices.
"""
