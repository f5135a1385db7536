"""
Projective dependency trees: the best tree, sums over all trees, and samples.

The files, in the order to read them:

1. `eisner.py`: the public functions, and the choice between kernels and torch.
2. `cpu.py`: tensors to and from the kernels.
3. `kernels.py`: the recurrence over spans, the best tree and samples, compiled.
4. `sums.py`: the log-partition, the marginals and their derivative, compiled: the same recurrence,
   forwards and backwards.
5. `torch_fallback.py`: the recurrence in vectorised torch, for other devices.
"""
