"""The layer and what is below it, without AllenNLP, and before and after it is imported."""

import ast
import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import allennlp.common
import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp import registrable
from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.structures.structure import Structure
from tests.architecture_test import FILES, MODULES, ours, package_of, tree_of
from tests.without_allennlp import NEEDS_ALLENNLP, code_of_page, train_every_pair, train_solver

ROOT = Path(__file__).parents[1]
CORE = ["layers", "structures", "projections", "estimators"]


def python(*arguments: str) -> str:
    """Returns what an interpreter prints that has imported nothing before."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def without_allennlp() -> Dict[str, Any]:
    return json.loads(python("-m", "tests.without_allennlp").splitlines()[-1])


def test_nothing_is_there_that_allennlp_alone_needs():
    assert without_allennlp()["hidden"] == []


def test_every_pair_trains_as_with_allennlp_or_is_refused_in_the_same_words():
    pairs, expected = without_allennlp()["pairs"], train_every_pair()
    assert len(pairs) == len(Structure.list_available()) * len(GradientEstimator.list_available())
    assert {pair for pair, outcome in pairs.items() if isinstance(outcome, str)} == {
        *("alignment, spigot", "alignment, spigot_ce", "alignment, identity_with_projection"),
        *("chain, spigot", "chain, spigot_ce"),
        *(f"matching, {name}" for name in ("spigot", "spigot_ce", "spigot_eg", "reinforce")),
        *("matching, perturb_and_map", "matching, stochastic_softmax"),
        *("matching, straight_through_marginals", "matching, structured_attention"),
        *("predicate_graph, identity_with_projection", "semantic_graph, identity_with_projection"),
    }
    assert pairs == expected  # every digit


def test_a_solver_and_losses_train_as_with_allennlp():
    assert without_allennlp()["solver"] == train_solver()


@pytest.mark.parametrize("name", NEEDS_ALLENNLP)
def test_importing_what_needs_allennlp_says_what_to_install(name):
    message = without_allennlp()["messages"][name]
    assert "spigot_allennlp needs allennlp 2.10.1, but found none" in message
    assert "-m pip install --no-deps allennlp==2.10.1" in message and "pip install ." in message


def test_every_package_that_imports_allennlp_is_among_those_that_need_it():
    importing = {
        package_of(module)
        for module in MODULES
        if any(name.split(".")[0] == "allennlp" for name in first_imports(tree_of(module)))
    }
    assert {"ablation", "models"} <= importing <= set(NEEDS_ALLENNLP)


def first_imports(tree: ast.Module) -> List[str]:
    """Returns the names of modules that a module imports when it is imported."""
    names = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def test_whoever_looks_for_allennlp_does_not_find_it_and_gets_no_error():
    assert without_allennlp()["is_allennlp_missing"] is True


def test_the_page_on_pytorch_prints_what_it_says():
    page = (ROOT / "docs" / "pytorch.md").read_text(encoding="utf-8")
    shown = re.search(r'prints "(.*?)"; with `Pipeline\(\)`.*?, (\d+%)', page, re.DOTALL)
    assert shown and len(code_of_page().splitlines()) < 40
    trained, never_trained = (
        int(re.findall(r"(\d+)%", without_allennlp()[key])[0])
        for key in ("page", "page_without_training")
    )
    # Another machine may round otherwise.
    assert trained == pytest.approx(int(re.findall(r"\d+", shown[1])[0]), abs=5)
    assert never_trained == pytest.approx(int(shown[2][:-1]), abs=5)


def seen_from_outside_nn() -> List[str]:
    """Returns the modules of `nn` that other packages import."""
    outside = (module for module in FILES if module in MODULES and package_of(module) != "nn")
    targets = {target for module in outside for target in ours(module)}
    return sorted(target for target in targets if target.startswith("spigot_allennlp.nn."))


def test_neither_allennlp_nor_numba_is_imported_before_it_is_used():
    names = [*seen_from_outside_nn(), *(f"spigot_allennlp.{name}" for name in CORE)]
    assert "spigot_allennlp.nn.eisner.eisner" in names
    python(
        "-c",
        f"""
import importlib, sys, torch
for name in {names}:
    importlib.import_module(name)
    assert not {{'allennlp', 'numba', 'scipy'}} & set(sys.modules), name
from spigot_allennlp import StructuredArgmaxLayer, estimators, structures
layer = StructuredArgmaxLayer(structures.ProjectiveTree(), estimators.Spigot())
assert 'numba' not in sys.modules
scores = torch.randn(2, 4, 4, requires_grad=True)
latent = layer(scores, torch.ones(2, 4, dtype=torch.bool), lambda tree: tree.flatten(1).sum(1))
assert 'numba' in sys.modules
latent.losses().mean().backward()
assert 'allennlp' not in sys.modules
""",
    )


def test_what_was_imported_before_allennlp_is_registrable_when_allennlp_is_there():
    python(
        "-c",
        """
import sys, torch
from spigot_allennlp import StructuredArgmaxLayer
from spigot_allennlp.estimators import GradientEstimator, ImplicitMLE, Spigot
from spigot_allennlp.structures import Categorical, Chain, Structure

@Structure.register('before')
class Before(Categorical):
    def __init__(self, size: int = 1) -> None:
        self.size = size

made_before = StructuredArgmaxLayer(Before(), Spigot())
try:
    StructuredArgmaxLayer(Chain(), Spigot())
except Exception as error:
    raised_before = error
assert 'allennlp' not in sys.modules

from allennlp.common import FromParams, Lazy, Params, Registrable
from allennlp.common.checks import ConfigurationError
assert issubclass(Structure, Registrable) and issubclass(GradientEstimator, Registrable)
assert isinstance(made_before, FromParams) and isinstance(raised_before, ConfigurationError)
assert Registrable._registry[Structure]['before'] == (Before, None)
assert 'structured_attention' in GradientEstimator.list_available()

class After(Structure):
    pass

Structure.register('after')(After)
assert Structure.by_name('after') is After

class Holder(FromParams):
    def __init__(self, layer: Lazy[StructuredArgmaxLayer], other: StructuredArgmaxLayer) -> None:
        self.layers = [layer.construct(), other]

config = {
    'structure': {'type': 'before', 'size': 3},
    'estimator': {'type': 'implicit_mle', 'noise': 'gumbel', 'adaptive': {'rate': 0.5}},
}
holder = Holder.from_params(Params({'layer': config, 'other': dict(config)}))
for layer in holder.layers:
    assert type(layer.structure) is Before and layer.structure.size == 3
    assert type(layer.estimator) is ImplicitMLE and layer.estimator._adaptive._rate == 0.5
try:
    StructuredArgmaxLayer.from_params(Params({'structure': 'chain', 'estimator': 'spigot'}))
except ConfigurationError as error:
    assert str(error) == str(raised_before) and 'sparsemap' in str(error)
else:
    raise SystemExit('no error')
""",
    )


def outcomes_of(base: Any) -> List[Any]:
    """Returns what comes of registering and looking up classes with this base, errors included."""

    class Kind(base):
        default_implementation = "second_one"

    class Made(Kind):
        @classmethod
        def make(cls):
            return cls()

    steps = [
        Kind.list_available,
        lambda: Kind.by_name("first_one"),
        lambda: Kind.register("first_one")(Made).__name__,
        lambda: Kind.register("second_one", constructor="make")(Made).__name__,
        lambda: Kind.register("third_one")(Made).__name__,
        lambda: Kind.register("first_one")(Kind),
        lambda: Kind.register("third_one", exist_ok=True)(Kind).__name__,
        Kind.list_available,
        lambda: Kind.by_name("first_one") is Made,
        lambda: type(Kind.by_name("second_one")()) is Made,
        lambda: Kind.by_name("third_one") is Kind,
        lambda: Kind.resolve_class_name("second_one") == (Made, "make"),
        lambda: Kind.by_name("first-one"),
        lambda: Kind.by_name("frst_one"),
        lambda: Kind.by_name("nothing of the kind"),
    ]
    outcomes = []
    for step in steps:
        try:
            outcomes.append(step())
        except ConfigurationError as error:
            outcomes.append(str(error))
    return outcomes


def test_the_registry_without_allennlp_does_and_says_what_that_of_allennlp_does():
    outcomes = outcomes_of(registrable._Registrable)
    assert outcomes == outcomes_of(allennlp.common.Registrable)
    assert outcomes[7] == ["second_one", "first_one", "third_one"]
    assert "did you mean 'first_one'" in outcomes[-3]
