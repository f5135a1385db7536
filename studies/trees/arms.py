"""The ways to train the two parsers, and the settings tried for each."""

from functools import partial
from pathlib import Path

from studies.trial import alone, capped, changed, rated

#: The base configs: of both parsers, and of the semantic one without trees, with as many weights as
#: both, and with gold trees.
JOINT, ALONE, LARGER, GOLD = (
    str(Path(__file__).with_name(f"{name}.jsonnet"))
    for name in ("joint", "alone", "larger", "gold")
)
BASELINE = "pipeline"

# The largest norms of a sentence's gradient through the tree.
_capped = partial(capped, (0.003, 0.03, 0.3))
# The syntactic parser, or the only one, learns at one of these rates; the semantic parser's is in
# `common.libsonnet`.
_RATES = (0.003, 0.006, 0.012)
_rated = partial(rated, "trainer.optimizer.parameter_groups.0.1.lr", _RATES)

ARMS = {
    "no tree": alone(ALONE, _RATES),
    # Is it the tree, or that a gradient trains a second encoder?
    "no tree, larger": alone(LARGER, _RATES),
    "gold tree": alone(GOLD, _RATES),
    BASELINE: _rated("pipeline"),
    "structured attention": _rated("structured_attention"),
    # Is it the gradient, or that the tree is no decision?
    "marginals, no gradient": _rated("structured_attention", backpropagate=False),
    # Is it the gradient, or that trees give way in training?
    "marginals with dropout, no gradient": changed(
        _rated("structured_attention", backpropagate=False), {"model.dropout_in_tree": True}
    ),
    "spigot": _capped("spigot"),
    "spigot, two-sided": _capped("spigot", two_sided=True),
    "straight-through": _capped("straight_through"),
    "straight-through, marginals": _capped("straight_through_marginals"),
    "perturb-and-map": _capped("perturb_and_map"),
    "identity with projection": _capped("identity_with_projection"),
}
