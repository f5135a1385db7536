"""The ways to train the two parsers: variants of an ablation, and the settings tried for each."""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

#: The base configs: of both parsers, and of the semantic one alone.
JOINT, ALONE = (str(Path(__file__).with_name(f"{name}.jsonnet")) for name in ("joint", "alone"))
BASELINE = "pipeline"

# The largest norms of a sentence's gradient through the tree.
_CAPS = (0.003, 0.03, 0.3)
# Of the syntactic parser, or of the only one. The other rate is in `common.libsonnet`.
_RATES = (0.003, 0.006, 0.012)


class Arm(NamedTuple):
    """
    A way of training.

    # Parameters

    estimator : `Optional[str]`
        `None` for the semantic parser alone.
    tuned : `str`, optional (default = `"cap"`)
        What is tuned: the "cap" of the gradient through the tree, or the learning "rate".
    two_sided : `bool`, optional (default = `False`)
        Of SPIGOT.
    """

    estimator: Optional[str]
    tuned: str = "cap"
    two_sided: bool = False

    @property
    def settings(self) -> List[float]:
        """The settings to try: as many for each arm."""
        return list(_CAPS if self.tuned == "cap" else _RATES)

    def variant(self, setting: float) -> Dict[str, Any]:
        """Returns the variant of an ablation of `JOINT`."""
        if self.estimator is None:
            return {"config": ALONE, "overrides": {"trainer.optimizer.lr": setting}}
        estimator: Dict[str, Any] = {"type": self.estimator}
        if self.two_sided:
            estimator["two_sided"] = True
        if self.tuned == "rate":
            rate = "trainer.optimizer.parameter_groups.0.1.lr"
            return {"model.argmax.estimator": estimator, rate: setting}
        return {"model.argmax.estimator": {**estimator, "max_step_norm": setting}}


ARMS = {
    "no tree": Arm(None, "rate"),
    BASELINE: Arm("pipeline", "rate"),
    "structured attention": Arm("structured_attention", "rate"),
    "spigot": Arm("spigot"),
    "spigot, two-sided": Arm("spigot", two_sided=True),
    "straight-through": Arm("straight_through"),
    "straight-through, marginals": Arm("straight_through_marginals"),
    "perturb-and-map": Arm("perturb_and_map"),
    "identity with projection": Arm("identity_with_projection"),
}
