"""Prints the scores of the study as Markdown tables."""

from statistics import median
from typing import Any, Dict, Iterable, List, Sequence

Row = Dict[str, Any]
Scores = Dict[str, List[Row]]


def tables(scores: Scores) -> str:
    """
    Returns all tables that have scores, each with a heading.

    # Parameters

    scores : `Dict[str, List[Dict[str, Any]]]`
        The rows of each part of the study, as in `docs/gradient_study.json`.
    """
    makers = {
        "noise": ("Noise as the gradient", noise_table),
        "noise_capped": ("Noise, SPIGOT with norm caps, projective trees", capped_table),
        "noise_candidates": ("Noise, labelled graphs with fewer candidates", candidates_table),
        "bias": ("Bias and variance beside the exact gradient", bias_table),
        "averages": ("Cosine of means over instances", averages_table),
        "clusters": ("Latent clusters", clusters_table),
        "clusters_followed": ("Gradients along a training", followed_table),
    }
    return "\n".join(
        f"{heading}\n\n{make(scores[part])}"
        for part, (heading, make) in makers.items()
        if scores.get(part)
    )


def noise_table(rows: Sequence[Row]) -> str:
    """
    Returns the shares of chosen heads that are lowered and raised, and the drift per structure.
    """
    structures = _distinct(rows, "structure")
    lines = []
    for estimator in _distinct(rows, "estimator"):
        by_structure = {row["structure"]: row for row in rows if row["estimator"] == estimator}
        tree = by_structure["projective_tree"]
        drifts = (
            by_structure[name]["drift"] if name in by_structure else None for name in structures
        )
        lines.append(
            [
                f"`{estimator}`",
                f"{100 * tree['lowered']:.0f}",
                f"{100 * tree['raised']:.0f}",
                *map(_two_places, drifts),
            ]
        )
    return _markdown(["estimator", "lowered, %", "raised, %", *structures], lines)


def capped_table(rows: Sequence[Row]) -> str:
    """Returns what SPIGOT does to chosen heads under noise, by norm cap."""
    lines = [
        [
            row["structure"],
            f"{100 * row['lowered']:.1f}",
            f"{row['chosen']:.4f}",
            f"{row['drift']:.2f}",
        ]
        for row in rows
    ]
    return _markdown(["`max_step_norm`", "lowered, %", "mean gradient", "drift"], lines)


def candidates_table(rows: Sequence[Row]) -> str:
    """Returns the mean gradient of all arcs together under noise, by the amount of pruning."""
    thresholds = sorted({row["min_probability"] for row in rows})
    lines = []
    for estimator in _distinct(rows, "estimator"):
        of_estimator = [row for row in rows if row["estimator"] == estimator]
        sums = {row["min_probability"]: row["chosen"] + row["others"] for row in of_estimator}
        lines.append([f"`{estimator}`", *(f"{sums[threshold]:.0f}" for threshold in thresholds)])
    return _markdown(["estimator", *(f"{threshold:g}" for threshold in thresholds)], lines)


def bias_table(rows: Sequence[Row]) -> str:
    """
    Returns, for the middle scale of scores, cosines on each structure, over all problems and in
    brackets for single problems, and norm, bias and variance on projective trees. Then come cosines
    over all problems on trees for each scale.
    """
    structures, scales = _distinct(rows, "structure"), _distinct(rows, "scale")
    middle = scales[len(scales) // 2]
    lines = []
    for estimator in _distinct(rows, "estimator"):
        of_estimator = {
            (row["structure"], row["scale"]): row for row in rows if row["estimator"] == estimator
        }
        both = [of_estimator.get((name, middle)) for name in structures]
        tree = of_estimator["projective_tree", middle]
        cosines = (f"{of_estimator['projective_tree', scale]['cosine']:.2f}" for scale in scales)
        lines.append(
            [
                f"`{estimator}`",
                *(
                    f"{row['cosine']:.2f} ({row['cosine_alone']:.2f})" if row else ""
                    for row in both
                ),
                f"{tree['norm']:.2f}",
                f"{tree['bias']:.2f}",
                f"{tree['spread'] ** 2:.1f}" if tree["spread"] else "0",
                " / ".join(cosines),
            ]
        )
    scaled = "trees, scores of " + " / ".join(f"{scale:g}" for scale in scales)
    return _markdown(["estimator", *structures, "norm", "bias", "variance", scaled], lines)


def averages_table(rows: Sequence[Row]) -> str:
    """Returns the cosines of means on each structure, by the number of instances."""
    structures, counts = _distinct(rows, "structure"), _distinct(rows, "num_instances")
    lines = []
    for estimator in _distinct(rows, "estimator"):
        of_estimator = [row for row in rows if row["estimator"] == estimator]
        cosines = {(row["structure"], row["num_instances"]): row["cosine"] for row in of_estimator}
        cells = (
            " / ".join(f"{cosines[name, count]:.2f}" for count in counts) for name in structures
        )
        lines.append([f"`{estimator}`", *cells])
    numbers = " / ".join(map(str, counts))
    return _markdown(["estimator", *(f"{name}, {numbers}" for name in structures)], lines)


def clusters_table(rows: Sequence[Row]) -> str:
    """Returns medians over the seeds, and the range of the accuracy."""
    lines = []
    for variant in _distinct(rows, "variant"):
        of_variant = [row for row in rows if row["variant"] == variant]
        accuracies = [row["accuracy"] for row in of_variant]
        lines.append(
            [
                f"`{variant}`",
                f"{median(accuracies):.1f} ({min(accuracies):.1f} to {max(accuracies):.1f})",
                f"{median(row['training_accuracy'] for row in of_variant):.1f}",
                f"{median(row['v_measure'] for row in of_variant):.0f}",
                f"{median(row['label_bits'] for row in of_variant):.2f}",
                f"{median(row['changed'] for row in of_variant):.1f}",
            ]
        )
    header = ["variant", "accuracy", "in training", "V-measure", "bits of the label", "changed, %"]
    return _markdown(header, lines)


def followed_table(rows: Sequence[Row]) -> str:
    """Returns medians over the seeds: cosines by step for each trained variant, and norms."""
    trained, steps = _distinct(rows, "trained"), _distinct(rows, "step")
    lines = []
    for estimator in _distinct(rows, "estimator"):
        cells = []
        for variant in trained:
            of_both = [r for r in rows if (r["trained"], r["estimator"]) == (variant, estimator)]
            cosines = (median(r["cosine"] for r in of_both if r["step"] == step) for step in steps)
            cells.append(" / ".join(f"{cosine:.2f}" for cosine in cosines))
            cells.append(f"{median(r['norm'] for r in of_both):.2g}")
        lines.append([f"`{estimator}`", *cells])
    header = [column for variant in trained for column in (f"training by {variant}", "norm")]
    return _markdown(["estimator", *header], lines)


def _distinct(rows: Iterable[Row], key: str) -> List[Any]:
    return list(dict.fromkeys(row[key] for row in rows))


def _two_places(value: Any) -> str:
    return "" if value is None else f"{value:.2f}"


def _markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
