"""
Tensors in, tensors out: kernels and their fallbacks in torch; no registry, no config, no text.
"""
