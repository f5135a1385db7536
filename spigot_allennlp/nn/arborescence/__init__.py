"""
Dependency trees whose arcs may cross: the best tree, sums over all trees, and samples.

The files, in the order to read them:

1. `arborescence.py`: the public functions, and the choice between kernels and torch.
2. `cpu.py`: tensors to and from the kernels.
3. `kernels.py`: the best tree (Tarjan) and samples (Wilson), compiled.
4. `sums.py`: the log-partition, the marginals and their derivative by elimination, compiled.
5. `torch_fallback.py`: the same sums in vectorised torch, with logarithms.
"""
