"""The command line: `python -m studies.gradients --help`."""

import argparse
import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence

import torch

from spigot_allennlp.compat.atomic_io import replacing
from studies.gradients.bias import averages, comparisons
from studies.gradients.clusters import VARIANTS, follow, train_variants
from studies.gradients.noise import candidate_rows, capped_rows, sided_rows
from studies.gradients.plot import plot
from studies.gradients.tables import tables

Row = Dict[str, Any]
_NAME = "gradient_study"
_AVERAGED = (
    "structured_attention",
    "straight_through_marginals",
    "straight_through",
    "reinforce",
    "perturb_and_map",
    "perturbed",
    "implicit_mle",
    "blackbox",
    "spigot",
    "spigot_ce",
    "spigot_eg",
    "spigot, two-sided",
    "spigot, from the marginals, two-sided",
)
# With one sample, `reinforce` needs the running mean of its own training.
_FOLLOWED = (
    *(name for name in _AVERAGED if name != "reinforce"),
    "sparsemap",
    "identity_with_projection",
    "reinforce, 4 samples",
)


class Sizes(NamedTuple):
    """
    The size of the measurements.

    # Parameters

    noises : `int`
        Random downstream gradients per problem, in pairs of a noise and its negative.
    problems, samples : `int`
        Problems to compare gradients on, and samples of a random estimator for each.
    repeats : `int`
        The number of means over instances to average.
    points, steps : `int`
        Training points and steps for latent clusters.
    seeds : `Sequence[int]`
        Of the training on latent clusters.
    variants : `Sequence[str]`
        The variants to train on latent clusters.
    scales : `Sequence[float]`
        The standard deviations of the scores in comparisons with the exact gradient.
    """

    noises: int = 32
    problems: int = 100
    samples: int = 100
    repeats: int = 10
    points: int = 2000
    steps: int = 500
    seeds: Sequence[int] = (1, 2, 3, 4, 5)
    variants: Sequence[str] = tuple(VARIANTS)
    scales: Sequence[float] = (0.1, 1.0, 4.0)


_QUICK = Sizes(4, 3, 4, 1, 50, 25, (1,), ("pipeline", "spigot"), (1.0,))


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Runs the measurements of the command line, saves the scores, and prints all tables."""
    parser = argparse.ArgumentParser("python -m studies.gradients")
    parser.add_argument(
        "--output", type=Path, default=Path("docs"), help="folder of the scores and the plot"
    )
    parser.add_argument("--only", nargs="*", choices=sorted(_PARTS), default=sorted(_PARTS))
    parser.add_argument("--quick", action="store_true", help="so few that the numbers say nothing")
    options = parser.parse_args(arguments)
    if options.quick and options.output == parser.get_default("output"):
        parser.error("--quick would overwrite what was measured: give it another --output")
    torch.set_num_threads(1)
    sizes = _QUICK if options.quick else Sizes()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"{_NAME}.json"
    for part in options.only:
        rows = [_rounded(row._asdict()) for row in _PARTS[part](sizes)]
        scores = json.loads(path.read_text()) if path.exists() else {}
        scores[part] = rows
        with replacing(path) as new:
            Path(new).write_text(_as_json(scores))
    scores = json.loads(path.read_text())
    print(tables(scores))
    plot(scores, options.output / f"{_NAME}.png")


def _follow(sizes: Sizes) -> Iterable[Any]:
    for seed in sizes.seeds:
        for trained in ("spigot", "exact gradient"):
            yield from follow(trained, _FOLLOWED, sizes.points, 3, sizes.steps, seed)


_PARTS: Dict[str, Callable[[Sizes], Iterable[Any]]] = {
    "noise": lambda sizes: sided_rows(sizes.noises, 20, seed=1),
    "noise_capped": lambda sizes: capped_rows(sizes.noises, 20, seed=1),
    "noise_candidates": lambda sizes: candidate_rows(sizes.noises, 20, seed=1),
    "bias": lambda sizes: comparisons(sizes.problems, sizes.samples, sizes.scales, seed=1),
    "averages": lambda sizes: averages(
        _AVERAGED, sizes.repeats, (1, 16, 256, 1024), noise=3.0, seed=1
    ),
    "clusters": lambda sizes: train_variants(
        sizes.variants, sizes.points, 3, sizes.steps, sizes.seeds
    ),
    "clusters_followed": _follow,
}


def _rounded(row: Row) -> Row:
    return {
        key: float(f"{value:.4g}") if isinstance(value, float) else value
        for key, value in row.items()
    }


def _as_json(scores: Dict[str, List[Row]]) -> str:
    """Returns JSON with one row per line."""
    parts = (
        f"{json.dumps(part)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]"
        for part, rows in sorted(scores.items())
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main()
