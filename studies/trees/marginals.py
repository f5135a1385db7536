"""
What do marginals tell a semantic parser beyond the best tree?

`python -m studies.trees.marginals REGIME` takes the models that `python -m studies.trees compare`
has trained, and parses the sentences of the comparison twice: with the marginals of their trees as
the intermediate layer, and with the best tree instead. It also reports where the probability of the
trees lies. By exchanging one of the two parsers, it shows what the syntactic parser and the
semantic parser each gain from the gradient.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

import numpy
import torch
from allennlp.common.util import import_module_and_submodules
from allennlp.data import Batch
from allennlp.models import Model, load_archive
from torch import Tensor

from spigot_allennlp.compat.atomic_io import replacing
from spigot_allennlp.estimators.pipeline import Pipeline
from spigot_allennlp.estimators.structured_attention import StructuredAttention
from studies.trial import with_interval

CROSSED = ("marginals, no gradient", "structured attention")
ARMS = ("pipeline", *CROSSED)
_BATCH_SIZE = 32
# The values in the table, with their headings.
_COLUMNS = {
    "labelled F1, marginals": "labelled F1, marginals",
    "labelled F1, best tree": "labelled F1, best tree",
    "entropy": "entropy of a head",
    "right": "uas",
    "best_linked": "heads with an arc",
}
Values = Dict[str, float]


class Sums(NamedTuple):
    """
    Sums over the tokens of a batch, without the root, each of shape `()`.

    # Parameters

    tokens : `Tensor`
        The number of tokens.
    entropy : `Tensor`
        The entropy of the head, in nats.
    best : `Tensor`
        The probability of the head in the best tree.
    gold : `Tensor`
        The probability of the gold head.
    right : `Tensor`
        The number of heads in the best tree that are gold.
    linked : `Tensor`
        The probability of the heads that share an arc of the gold graph with the token, in either
        direction.
    best_linked : `Tensor`
        The number of heads in the best tree that do.
    """

    tokens: Tensor
    entropy: Tensor
    best: Tensor
    gold: Tensor
    right: Tensor
    linked: Tensor
    best_linked: Tensor


def sums_of(marginals: Tensor, best: Tensor, heads: Tensor, graph: Tensor, mask: Tensor) -> Sums:
    """
    # Parameters

    marginals : `Tensor`
        Of the trees, shape `(batch_size, 1 + length, 1 + length)`: dependents, then heads, each
        starting with the root.
    best : `Tensor`
        The best tree, of the same shape.
    heads : `Tensor`
        The gold heads, shape `(batch_size, length)`, counted from 1; 0 is the root.
    graph : `Tensor`
        The label index of each arc of the gold graph, or -1 for no arc, shape
        `(batch_size, length, length)`.
    mask : `Tensor`
        Shape `(batch_size, 1 + length)`.
    """
    tokens, marginals, best = mask[:, 1:], marginals[:, 1:], best[:, 1:]
    gold = torch.nn.functional.one_hot(heads.clamp(min=0), mask.size(1)).to(marginals.dtype)
    is_linked = ((graph >= 0) | (graph >= 0).transpose(1, 2)).to(marginals.dtype)
    per_token = {
        "tokens": torch.ones_like(marginals[..., 0]),
        "entropy": -torch.xlogy(marginals, marginals).sum(2),
        "best": (marginals * best).sum(2),
        "gold": (marginals * gold).sum(2),
        "right": (best * gold).sum(2),
        "linked": (marginals[..., 1:] * is_linked).sum(2),
        "best_linked": (best[..., 1:] * is_linked).sum(2),
    }
    return Sums(**{name: values[tokens].sum().double() for name, values in per_token.items()})


def measure(model: Model, batches: Sequence[Any]) -> Values:
    """
    Returns the labelled F1 of a model with `marginals` and with the `best tree` as its intermediate
    layer, and the means of `Sums` over the tokens of batches with gold graphs and gold trees.
    """
    total = Sums(*torch.stack([torch.stack(_sums_of_batch(model, b)) for b in batches]).sum(0))
    means = {name: (of / total.tokens).item() for name, of in total._asdict().items()}
    del means["tokens"]
    return {**scores_of(model, batches), **means}


def scores_of(model: Model, batches: Sequence[Any]) -> Values:
    """Returns the first two values of `measure`."""
    scores = {}
    for name, estimator in (("marginals", StructuredAttention()), ("best tree", Pipeline())):
        model.argmax.estimator = estimator
        model.get_metrics(reset=True)
        with torch.no_grad():
            for batch in batches:
                model(**batch)
        scores[f"labelled F1, {name}"] = model.get_metrics(reset=True)["labelled_f1"]
    return scores


@torch.no_grad()
def _sums_of_batch(model: Model, batch: Dict[str, Any]) -> Sums:
    _, mask = model.syntactic_parser.encoder(batch["tokens"])
    scores, structure = model._arc_scores(batch["tokens"]), model.argmax.structure
    part_mask = structure.part_mask(mask, scores.shape)
    return sums_of(
        structure.marginals(scores, part_mask),
        structure.argmax(scores, part_mask),
        batch["heads"],
        batch["graph"],
        mask,
    )


def _batches(model: Model, instances: Sequence[Any]) -> List[Dict[str, Any]]:
    batches = []
    for start in range(0, len(instances), _BATCH_SIZE):
        batch = Batch(instances[start : start + _BATCH_SIZE])
        batch.index_instances(model.vocab)
        batches.append(batch.as_tensor_dict())
    return batches


def measure_seed(archives: Dict[str, Path], data: str) -> Dict[str, Values]:
    """
    Measures the models of a seed, by arm. Also measures the combinations of the syntactic parser of
    one of `CROSSED` with the semantic parser of the other, under the names of both.
    """
    loaded = {arm: load_archive(str(archive)) for arm, archive in archives.items()}
    instances = list(next(iter(loaded.values())).validation_dataset_reader.read(data))
    models = {arm: archive.model.eval() for arm, archive in loaded.items()}
    # All arms learned from the same data, so words have the same indices.
    batches = _batches(next(iter(models.values())), instances)
    measured = {arm: measure(model, batches) for arm, model in models.items()}
    if all(arm in models for arm in CROSSED):
        first, second = (models[arm] for arm in CROSSED)
        first.syntactic_parser, second.syntactic_parser = (
            second.syntactic_parser,
            first.syntactic_parser,
        )
        for trees, semantics, model in ((*CROSSED[::-1], first), (*CROSSED, second)):
            measured[crossed_name(trees, semantics)] = scores_of(model, batches)
    return measured


def crossed_name(trees: str, semantics: str) -> str:
    return f"trees of '{trees}', semantic parser of '{semantics}'"


def table(regime: str, measured: Dict[str, Dict[str, Values]]) -> List[str]:
    """
    Returns the lines of a Markdown table of `measured` values, by seed and arm: the mean over the
    seeds and, except for the first of `CROSSED`, the difference from the mean of the first, with
    the 95 % interval over the seeds. Entropies are in nats, all others in per cent.
    """
    lines = [[regime, *_COLUMNS.values()], ["---"] * (len(_COLUMNS) + 1)]
    for arm in next(iter(measured.values())):
        line = [arm]
        for name in _COLUMNS:
            values, control = (_by_seed(measured, of, name) for of in (arm, CROSSED[0]))
            digits = 2 if name == "entropy" else 1
            shown = "" if numpy.isnan(values.mean()) else f"{values.mean():.{digits}f}"
            if shown and arm != CROSSED[0]:
                shown += f", {_difference(values - control, digits)}"
            line.append(shown)
        lines.append(line)
    return [f"| {' | '.join(line)} |" for line in lines]


def _by_seed(measured: Dict[str, Dict[str, Values]], arm: str, name: str) -> numpy.ndarray:
    """Returns a value for each seed; NaN if there is none."""
    scale = 1 if name == "entropy" else 100
    return scale * numpy.array([of[arm].get(name, numpy.nan) for of in measured.values()])


def _difference(differences: numpy.ndarray, digits: int) -> str:
    """
    Returns the mean difference, with an interval if there are several values that are not all zero.
    """
    if len(differences) > 1 and differences.any():
        return with_interval(differences, digits)
    return f"{differences.mean():+.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m studies.trees.marginals")
    parser.add_argument("regime")
    parser.add_argument("--folder", type=Path, default=Path("runs/trees"), help="of the trial")
    output = Path("docs/marginals_of_trees.json")
    parser.add_argument("--output", type=Path, default=output, help="of all regimes so far")
    options = parser.parse_args()
    import_module_and_submodules("spigot_allennlp")
    runs = options.folder / options.regime / "comparison"
    measured: Dict[str, Dict[str, Values]] = {}
    for folder in sorted((runs / ARMS[0]).glob("seed-*")):
        archives = {
            arm: runs / arm.replace(" ", "_") / folder.name / "run" / "model.tar.gz" for arm in ARMS
        }
        seed = folder.name.removeprefix("seed-")
        measured[seed] = measure_seed(archives, str(options.folder / "data" / "test.sdp"))
    if not measured:
        raise SystemExit(f"{runs} has no runs: run `python -m studies.trees compare` first.")
    regimes = json.loads(options.output.read_text("utf-8")) if options.output.is_file() else {}
    regimes[options.regime] = measured
    with replacing(options.output) as new:
        Path(new).write_text(json.dumps(regimes, indent=1) + "\n", "utf-8")
    print("\n".join(table(options.regime, measured)))


if __name__ == "__main__":
    main()
