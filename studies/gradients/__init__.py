"""
The estimators of the package beside the exact gradient, where all objects can be listed.

Run as `python -m studies.gradients`; the results are in `docs/choose_an_estimator.md`. `exact`
lists objects and computes the exact gradient of the expected loss; `rivals` has the estimators, and
a rule of SPIGOT's kind that is no option of the package. Then come the experiments: `noise`,
what an estimator makes of a gradient that says nothing; `bias`, bias and variance beside the exact
gradient; `clusters`, trainings on latent clusters.
"""
