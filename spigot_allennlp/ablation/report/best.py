"""Finds the best variant by a metric, and those that are not shown to be worse."""

import re
from typing import Callable, Dict, NamedTuple, Optional, Sequence

from spigot_allennlp.ablation.plan.plan import Plan
from spigot_allennlp.ablation.report.comparison import Comparison, adjust_by_holm

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
        The variants that were compared with it, and are not significantly worse.
    reason : `str`, optional (default = `""`)
        Why no variant is named, or which variants could not be compared with the best.
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
    sign: int, means: Dict[str, float], compare_with: Callable[[str], Dict[str, Comparison]]
) -> Best:
    """
    Finds the variant with the best mean. Another ties with it if the two were compared over at
    least two seeds, and it is not significantly worse. Since the same data choose the best, a
    variant counts as worse only if it is so among the comparisons of all pairs of variants, over
    test instances and over seeds: those with the best alone would show one of 20 equal variants to
    be worse in 23 % of all reports, and without an adjustment over seeds one of five with five
    seeds in 58 %.

    # Parameters

    sign : `int`
        What `sign_of` says of the metric.
    means : `Dict[str, float]`
        The mean of each variant that has more than one seed, over the same seeds for all; they
        were tested on the same data.
    compare_with : `Callable[[str], Dict[str, Comparison]]`
        Compares the other variants with that of a name, as far as they can be compared; their
        p-values are not adjusted.
    """
    if not sign:
        return Best(sign, reason="its name does not say whether more or less of it is better")
    if len(means) < 2:
        return Best(sign, reason="fewer than two variants have more than one seed")
    best = max(means, key=lambda name: sign * means[name])
    num_pairs = len(means) * (len(means) - 1) // 2
    comparisons = adjust_by_holm(compare_with(best), num_pairs)
    compared = {name for name, comparison in comparisons.items() if comparison.seeds > 1}
    significantly_worse = {
        name
        for name, comparison in comparisons.items()
        if comparison.is_significant and sign * comparison.difference < 0
    }
    not_compared = [name for name in means if name not in {best, *compared}]
    reason = (
        f"{', '.join(not_compared)} could not be compared with {best}, since the scores of single "
        "test instances are missing, or differ in number, for some seeds"
    )
    return Best(
        sign,
        best,
        ties=[name for name in means if name in compared - significantly_worse],
        reason=reason if not_compared else "",
    )


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
