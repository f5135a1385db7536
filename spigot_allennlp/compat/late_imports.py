"""
Patches for imports that take seconds in every command, though hardly anyone needs what they bring.
"""

import importlib
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Iterator

from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.modules.transformer.activation_layer",
    since="transformers 4.40 and later, whose models import everything that any of them may need",
    until="AllenNLP takes the activations from transformers.activations",
)
def activations_are_imported_when_an_activation_is_looked_up(module: Any) -> Iterator[None]:
    with imported_late("transformers.models.bert.modeling_bert"):
        yield


@patch(
    "allennlp.training.metrics.evalb_bracketing_scorer",
    since="AllenNLP 2.10.1 itself: the type of a parameter, for which nltk imports scipy.stats",
    until="AllenNLP imports nltk where it reads trees",
)
def nltk_is_not_imported_for_a_type(module: Any) -> Iterator[None]:
    with imported_late("nltk"):
        yield


@patch(
    "allennlp.training.metrics.auc",
    "allennlp.training.metrics.spearman_correlation",
    "allennlp.fairness.bias_direction",
    "allennlp.fairness.bias_mitigators",
    "allennlp.fairness.fairness_metrics",
    since="AllenNLP 2.10.1 itself: every command imports scipy and scikit-learn for some metrics",
    until="AllenNLP imports them where a metric is computed",
)
def statistics_are_imported_when_they_are_computed(module: Any) -> Iterator[None]:
    with imported_late("scipy", "scipy.stats", "sklearn", "sklearn.metrics"):
        yield


@contextmanager
def imported_late(*names: str) -> Iterator[None]:
    """
    Has whoever imports modules in this context get stand-ins, which import the modules when they
    are first used. Modules that are there already are left alone.
    """
    stand_ins = [LateModule(name) for name in names if name not in sys.modules]
    sys.modules.update((stand_in.__name__, stand_in) for stand_in in stand_ins)
    try:
        yield
    finally:
        for stand_in in stand_ins:
            stand_in.step_aside()


class LateModule(ModuleType):
    """
    Stands for a module that is imported when one of its attributes is first used. As long as it
    stands in `sys.modules`, an attribute is only named, by an import.
    """

    def step_aside(self) -> None:
        """Lets the module itself be imported from now on."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def look_up(self, name: str) -> Any:
        """Returns an attribute, or a submodule, of the module itself."""
        self.step_aside()
        module = importlib.import_module(self.__name__)
        if not hasattr(module, name):
            importlib.import_module(f"{self.__name__}.{name}")
        return getattr(module, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__} is not imported yet; it has no {name}")
        if sys.modules.get(self.__name__) is not self:
            return self.look_up(name)
        return sys.modules.get(f"{self.__name__}.{name}") or LateAttribute(self, name)


class LateAttribute:
    """Stands for an attribute of a module, which is looked up whenever this is used."""

    def __init__(self, module: LateModule, name: str) -> None:
        self._module = module
        self._name = name

    def _look_up(self) -> Any:
        return self._module.look_up(self._name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._look_up()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{self._name} is not imported yet; it has no {name}")
        return getattr(self._look_up(), name)

    def __getitem__(self, key: Any) -> Any:
        return self._look_up()[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._look_up()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._look_up())

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self._look_up())
