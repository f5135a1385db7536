"""
Compares the estimators of the package with the exact gradient, where all objects can be listed.

Run `python -m studies.gradients`. The results are in `docs/choose_an_estimator.md`. `exact` lists
objects and computes the exact gradient of the expected loss; `rivals` has the estimators, and a
rule like SPIGOT that is not in the package. The experiments are `noise`, how an estimator responds
to pure noise; `bias`, bias and variance relative to the exact gradient; and `clusters`, training on
latent clusters.
"""
