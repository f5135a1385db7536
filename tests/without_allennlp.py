"""
Trains every structure with every estimator that fits. Run as a program it does so, and more, where
neither AllenNLP nor a library that AllenNLP alone needs can be imported, and prints what came of it
as JSON, for `without_allennlp_test.py`.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, List, Union

ROOT = Path(__file__).parents[1]
HIDDEN = {
    *(
        "allennlp",
        "allennlp_models",
        "base58",
        "boto3",
        "cached_path",
        "conllu",
        "dill",
        "fairscale",
    ),
    *("h5py", "huggingface_hub", "_jsonnet", "lmdb", "matplotlib", "more_itertools", "nltk"),
    *("scipy", "sklearn", "spacy", "tensorboardX", "termcolor", "transformers"),
}
NEEDS_ALLENNLP = [
    *("ablation", "callbacks", "commands", "data", "metrics", "models", "modules", "parses"),
    *("predictors", "training"),
]
# The shapes of scores for four positions, where they are not those of arcs, and options without a
# default. Whatever else is registered is tried with scores of arcs, and fails if it needs others.
SHAPES = {
    "alignment": (4, 3),
    "categorical": (4,),
    "chain": (4, 3, 3),
    "matching": (4, 3),
    "predicate_graph": (4, 4, 3),
    "semantic_graph": (4, 4, 3),
    "subset": (4,),
}
REQUIRED: Dict[str, Dict[str, Any]] = {"subset": {"k": 2}}


class Hiding:
    """Asks other finders of modules, but not for what is `HIDDEN`."""

    def __init__(self, finders: List[Any]) -> None:
        self.finders = finders

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] in HIDDEN:
            return None
        specs = (finder.find_spec(name, path, target) for finder in self.finders)
        return next(filter(None, specs), None)


def hide() -> None:
    """Makes this process one in whose environment nothing `HIDDEN` is installed."""
    sys.meta_path[:] = [Hiding(list(sys.meta_path))]  # type: ignore[list-item]
    version = importlib.metadata.version

    def visible_version(name: str) -> str:
        if name in HIDDEN:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    importlib.metadata.version = visible_version


def train_every_pair() -> Dict[str, Union[str, List[float]]]:
    """
    Returns the parameters after three steps for each pair of a structure and an estimator, by
    "structure, estimator"; or what the error says that refuses the pair.
    """
    from spigot_allennlp import estimators, structures  # noqa: F401 (they register their classes)
    from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
    from spigot_allennlp.registrable import ConfigurationError
    from spigot_allennlp.structures.structure import Structure

    outcomes: Dict[str, Union[str, List[float]]] = {}
    for kind in sorted(Structure.list_available()):
        for name in sorted(GradientEstimator.list_available()):
            structure = Structure.by_name(kind)(**REQUIRED.get(kind, {}))
            estimator = GradientEstimator.by_name(name)()
            try:
                outcomes[f"{kind}, {name}"] = trained(
                    structure, estimator, SHAPES.get(kind, (4, 4))
                )
            except ConfigurationError as error:
                outcomes[f"{kind}, {name}"] = str(error)
    return outcomes


def trained(structure: Any, estimator: Any, shape: Any) -> List[float]:
    """Returns scores, `(2, *shape)`, after three steps."""
    import torch

    from spigot_allennlp import StructuredArgmaxLayer

    torch.manual_seed(7)
    layer = StructuredArgmaxLayer(structure, estimator)
    scores = torch.nn.Parameter(torch.randn(2, *shape))
    target = torch.randn(2, *shape)
    optimizer = torch.optim.SGD([scores], lr=0.1)
    mask = torch.tensor([[True, True, True, True], [True, True, True, False]])

    def downstream(value: Any) -> Any:
        return ((value - target) ** 2).flatten(1).sum(dim=1)

    for _ in range(3):
        latent = layer(scores, mask, downstream)
        losses = latent.losses()
        loss = losses.mean() + layer.auxiliary_loss(latent, losses)
        optimizer.zero_grad()
        if loss.requires_grad:
            loss.backward()
            optimizer.step()
    return scores.flatten().tolist()


def train_solver() -> List[float]:
    """Returns scores after a step of three losses through `torch.topk`, or against its objects."""
    import torch

    from spigot_allennlp.layers import DifferentiableSolver, perceptron_loss, sparsemap_loss

    solver = DifferentiableSolver(
        lambda scores: scores.topk(2).indices, "blackbox", indices=True, binary=True
    )
    torch.manual_seed(7)
    scores, target = torch.randn(2, 4, requires_grad=True), torch.randn(2, 4)
    gold = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
    loss = ((solver(scores) - target) ** 2).sum(dim=1).mean()
    for against_gold in (perceptron_loss, sparsemap_loss):
        loss = loss + against_gold(solver, scores, gold).mean()
    loss.backward()
    assert scores.grad is not None
    return (scores - scores.grad).flatten().tolist()


def message_of_import(name: str) -> str:
    """Returns what the error says that comes of importing a package of ours; nothing if none."""
    try:
        importlib.import_module(f"spigot_allennlp.{name}")
    except ModuleNotFoundError as error:
        return str(error)
    return ""


def is_allennlp_missing() -> bool:
    """Returns whether a search for AllenNLP ends in nothing, as one for what is not installed."""
    return importlib.util.find_spec("allennlp") is None


def code_of_page() -> str:
    """Returns the Python code of `docs/pytorch.md`."""
    page = (ROOT / "docs" / "pytorch.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))


def output_of(code: str) -> str:
    """Returns what code prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "docs/pytorch.md", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def main() -> None:
    hide()
    code = code_of_page()
    outcome = {
        "pairs": train_every_pair(),
        "solver": train_solver(),
        "messages": {name: message_of_import(name) for name in NEEDS_ALLENNLP},
        "is_allennlp_missing": is_allennlp_missing(),
        "page": output_of(code),
        "page_without_training": output_of(code.replace("PerturbAndMAP", "Pipeline")),
        "hidden": sorted(HIDDEN & {name.partition(".")[0] for name in sys.modules}),
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
