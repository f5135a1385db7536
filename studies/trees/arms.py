"""The ways to train the two parsers, and the settings tried for each."""

from functools import partial
from pathlib import Path

from studies.trial import alone, capped, changed, rated

#: The base configs: both parsers; and the semantic parser alone without trees, with about as many
#: weights as both, and with gold trees.
JOINT, ALONE, LARGER, GOLD = (
    str(Path(__file__).with_name(f"{name}.jsonnet"))
    for name in ("joint", "alone", "larger", "gold")
)
BASELINE = "pipeline"

# The norm caps for a sentence's gradient through the tree. The syntactic parser's rate is then that
# of the semantic one, and not tuned.
_capped = partial(capped, (0.003, 0.03, 0.3))
# The learning rates to try for the syntactic parser, or the only parser. The semantic parser's rate
# is in `common.libsonnet`.
_RATES = (0.003, 0.006, 0.012)
_rated = partial(rated, "trainer.optimizer.parameter_groups.0.1.lr", _RATES)

ARMS = {
    "no tree": alone(ALONE, _RATES),
    # Does the tree help, or only that a gradient trains a second encoder?
    "no tree, larger": alone(LARGER, _RATES),
    "gold tree": alone(GOLD, _RATES),
    BASELINE: _rated("pipeline"),
    "structured attention": _rated("structured_attention"),
    # Does the gradient help, or only that the tree is not a hard decision?
    "marginals, no gradient": _rated("structured_attention", backpropagate=False),
    # Does the gradient help, or only that trees vary during training?
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
