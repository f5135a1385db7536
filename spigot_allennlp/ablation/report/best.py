"""Finds the best variant by a metric, and those that cannot be told apart from it."""

import re
from typing import Callable, Dict, NamedTuple, Optional, Sequence

from spigot_allennlp.ablation.plan.plan import Plan
from spigot_allennlp.ablation.report.comparison import Comparison

# A metric with such a word in its name is known to be better if it is less, or more.
LESS_IS_BETTER = {"loss", "error", "errors", "perplexity", "bits"}
MORE_IS_BETTER = {
    *("accuracy", "f", "fscore", "precision", "recall", "uas", "las", "uem", "lem", "bleu", "auc"),
    *("measure", "homogeneity", "completeness"),
}


class Best(NamedTuple):
    """
    The best variant by a metric.

    # Parameters

    sign : `int`
        1 if more of the metric is better, -1 if less is, 0 if that is not known.
    variant : `str`, optional (default = `None`)
        The variant with the best mean; `None` if there is a reason to name none.
    ties : `Sequence[str]`, optional (default = `()`)
        The variants that cannot be told apart from it.
    reason : `str`, optional (default = `""`)
        Why no variant is named.
    """

    sign: int
    variant: Optional[str] = None
    ties: Sequence[str] = ()
    reason: str = ""

    def mark(self, variant: str) -> str:
        """Returns what stands beside the score of a variant: "best", "≈ best" or nothing."""
        if variant == self.variant:
            return "best"
        return "≈ best" if variant in self.ties else ""


def find_best(
    plan: Plan,
    metric: str,
    means: Dict[str, float],
    compare_with: Callable[[str], Dict[str, Comparison]],
) -> Best:
    """
    Finds the variant with the best mean. Another ties with it unless it is significantly worse.

    # Parameters

    plan : `Plan`
    metric : `str`
    means : `Dict[str, float]`
        The mean of each variant that has more than one seed; all were tested on the same data.
    compare_with : `Callable[[str], Dict[str, Comparison]]`
        Compares the variants with that of a name.
    """
    sign = sign_of(plan, metric)
    if not sign:
        return Best(sign, reason="its name does not say whether more or less of it is better")
    if len(means) < 2:
        return Best(sign, reason="fewer than two variants have more than one seed")
    best = max(means, key=lambda name: sign * means[name])
    comparisons = compare_with(best)
    told_apart = {
        name
        for name, comparison in comparisons.items()
        if comparison.is_significant and sign * comparison.difference < 0
    }
    return Best(sign, best, [name for name in means if name not in {best, *told_apart}])


def sign_of(plan: Plan, metric: str) -> int:
    """
    Returns 1 if more of the metric is better, -1 if less is, 0 if that is not known. What a
    variant's trainer has as its `validation_metric` decides, then the words of the metric's name.
    """
    for variant in plan.variants.values():
        entry = variant.config.get("trainer", {}).get("validation_metric", "-loss")
        for signed in [entry] if isinstance(entry, str) else entry:
            if signed in (f"+{metric}", f"-{metric}"):
                return 1 if signed[0] == "+" else -1
    words = set(re.split(r"[^a-z]+", metric.lower()))
    if words & LESS_IS_BETTER:
        return -1
    return 1 if words & MORE_IS_BETTER else 0
