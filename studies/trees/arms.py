"""The ways to train the two parsers, and the settings tried for each."""

from pathlib import Path
from typing import Any

from studies.trial import Arm, Variant

#: The base configs: of both parsers, and of the semantic one alone.
JOINT, ALONE = (str(Path(__file__).with_name(f"{name}.jsonnet")) for name in ("joint", "alone"))
BASELINE = "pipeline"

# The largest norms of a sentence's gradient through the tree.
_CAPS = (0.003, 0.03, 0.3)
# Of the syntactic parser, or of the only one. The other rate is in `common.libsonnet`.
_RATES = (0.003, 0.006, 0.012)


def _capped(estimator: str, **options: Any) -> Arm:
    def variant(cap: float) -> Variant:
        return {"model.argmax.estimator": {"type": estimator, **options, "max_step_norm": cap}}

    return Arm("cap", _CAPS, variant)


def _rated(estimator: str) -> Arm:
    def variant(rate: float) -> Variant:
        groups = "trainer.optimizer.parameter_groups"
        return {"model.argmax.estimator": {"type": estimator}, f"{groups}.0.1.lr": rate}

    return Arm("rate", _RATES, variant)


def _alone(rate: float) -> Variant:
    return {"config": ALONE, "overrides": {"trainer.optimizer.lr": rate}}


ARMS = {
    "no tree": Arm("rate", _RATES, _alone),
    BASELINE: _rated("pipeline"),
    "structured attention": _rated("structured_attention"),
    "spigot": _capped("spigot"),
    "spigot, two-sided": _capped("spigot", two_sided=True),
    "straight-through": _capped("straight_through"),
    "straight-through, marginals": _capped("straight_through_marginals"),
    "perturb-and-map": _capped("perturb_and_map"),
    "identity with projection": _capped("identity_with_projection"),
}
