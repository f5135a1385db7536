"""Finds the best variant by a metric, and the variants that are not shown to be worse."""

import re
from typing import Callable, Dict, NamedTuple, Optional, Sequence

from spigot_allennlp.ablation.plan.plan import Plan, trainer_of
from spigot_allennlp.ablation.report.comparison import Comparison, adjust_by_holm

# Words in the name of a metric which show that lower, or higher, is better.
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
        1 if higher is better, -1 if lower is better, 0 if this is not known.
    variant : `str`, optional (default = `None`)
        The variant with the best mean; `None` if there is a reason not to name one.
    ties : `Sequence[str]`, optional (default = `()`)
        The variants that were compared with the best, and are not significantly worse.
    reason : `str`, optional (default = `""`)
        Why no variant is named, or which variants could not be compared with the best.
    """

    sign: int
    variant: Optional[str] = None
    ties: Sequence[str] = ()
    reason: str = ""

    def mark(self, variant: str) -> str:
        """Returns the mark beside the score of a variant: "best", "≈ best" or an empty text."""
        if variant == self.variant:
            return "best"
        return "≈ best" if variant in self.ties else ""


def find_best(
    sign: int, means: Dict[str, float], compare_with: Callable[[str], Dict[str, Comparison]]
) -> Best:
    """
    Finds the variant with the best mean. Another variant ties with it if the two were compared over
    at least two seeds, and the other is not significantly worse. Since the same data select the
    best, a variant counts as worse only after an adjustment for the comparisons of all pairs of
    variants, over test instances and over seeds. With an adjustment for the comparisons with the
    best alone, one of 20 equal variants would appear worse in 23 % of all reports; without an
    adjustment over seeds, one of five with five seeds would in 58 %.

    # Parameters

    sign : `int`
        The result of `sign_of` for the metric.
    means : `Dict[str, float]`
        The mean of each variant with more than one seed, over the same seeds for all. All were
        tested on the same data.
    compare_with : `Callable[[str], Dict[str, Comparison]]`
        Compares the other variants with the named one, as far as possible. The p-values are not
        adjusted.
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
    Returns 1 if higher is better, -1 if lower is better, 0 if this is not known. The
    `validation_metric` of a variant's trainer decides, or else the words in the metric's name.
    """
    for variant in plan.variants.values():
        entry = trainer_of(variant.config).get("validation_metric", "-loss")
        for signed in [entry] if isinstance(entry, str) else entry:
            if signed in (f"+{metric}", f"-{metric}"):
                return 1 if signed[0] == "+" else -1
    words = set(re.split(r"[^a-z]+", metric.lower()))
    if words & LESS_IS_BETTER or {"cross", "entropy"} <= words:
        return -1
    return 1 if words & MORE_IS_BETTER else 0
