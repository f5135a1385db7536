"""
Patches for imports that take seconds in every command, though few commands need them.
"""

import functools
import importlib
import importlib.util
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


@patch(
    "allennlp",
    "allennlp.common.util",
    "allennlp.data.tokenizers.sentence_splitter",
    "allennlp.data.tokenizers.spacy_tokenizer",
    "allennlp.data.token_indexers.spacy_indexer",
    "allennlp.data.fields.text_field",
    since="AllenNLP 2.10.1 itself: every command imports spaCy, for some types and a tokenizer",
    until="AllenNLP imports spaCy where it tokenizes",
)
def spacy_is_imported_when_something_is_tokenized(module: Any) -> Iterator[None]:
    with imported_late("spacy", "spacy.tokens", "spacy.language", "spacy.cli.download"):
        yield


@patch(
    "allennlp",
    "allennlp.common.cached_transformers",
    "allennlp.data.data_loaders.data_collator",
    "allennlp.data.tokenizers.pretrained_transformer_tokenizer",
    "allennlp.data.vocabulary",
    "allennlp.modules.token_embedders.pretrained_transformer_embedder",
    "allennlp.training.learning_rate_schedulers.learning_rate_scheduler",
    since="AllenNLP 2.10.1 itself: every command imports transformers, for types and schedules",
    until="AllenNLP imports transformers where it loads one",
)
def transformers_are_imported_when_one_is_loaded(module: Any) -> Iterator[None]:
    """
    If transformers is already imported, nothing is delayed, since it looks for its own submodules.
    `allennlp.training.optimizers` needs classes of transformers as bases: see `hugging_face.py`.
    """
    names = ("transformers", "transformers.optimization", "transformers.data.data_collator")
    with imported_late(*(names if "transformers" not in sys.modules else ())):
        yield


@patch(
    "allennlp.training.callbacks.tensorboard",
    since="AllenNLP 2.10.1 itself: every command imports tensorboardX, and with it the clients of "
    "Amazon's and Google's stores",
    until="AllenNLP imports tensorboardX where it makes a writer",
)
def tensorboard_is_imported_when_something_is_written_for_it(module: Any) -> Iterator[None]:
    with imported_late("tensorboardX"):
        yield


@patch(
    "allennlp.common",
    "allennlp.commands.push_to_hf",
    since="AllenNLP 2.10.1 itself: every command imports huggingface_hub, for one that pushes",
    until="AllenNLP imports huggingface_hub where it pushes",
)
def huggingface_hub_is_imported_when_something_is_pushed(module: Any) -> Iterator[None]:
    with imported_late("allennlp.common.push_to_hf"):
        yield


@patch(
    "allennlp.common.file_utils",
    since="cached-path 1: it imports the clients of Amazon's, Google's and Hugging Face's stores, "
    "which take a second, whatever it opens",
    until="cached-path imports the client of a store where it opens a file there",
)
def clients_of_stores_are_imported_when_a_store_is_opened(module: Any) -> Iterator[None]:
    stand_ins = {}
    for scheme, name in (("gs", "GsClient"), ("s3", "S3Client"), ("r2", "R2Client")):
        path = f"cached_path.schemes.{scheme}"
        stand_ins[path] = ModuleType(path)
        setattr(stand_ins[path], name, LateClient(path, name, scheme))
    stand_ins = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        with imported_late("cached_path.schemes.hf"):
            yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


@patch(
    "allennlp.common.util",
    since="AllenNLP 2.10.1 itself: for each module of a plugin it searches the whole path for the "
    "package checklist, which hardly anyone has: 0.3 seconds in every command",
    until="AllenNLP searches once",
)
def a_missing_checklist_is_searched_once(module: Any) -> Iterator[None]:
    yield
    walk = module.import_module_and_submodules

    @functools.wraps(walk)
    def import_module_and_submodules(*arguments: Any, **options: Any) -> None:
        name = "checklist"
        if name in sys.modules or importlib.util.find_spec(name) is not None:
            walk(*arguments, **options)
            return
        sys.modules[name] = None  # type: ignore[assignment]  # to import it fails at once
        try:
            walk(*arguments, **options)
        finally:
            del sys.modules[name]

    module.import_module_and_submodules = import_module_and_submodules


class LateClient:
    """Stands in for a client class, which is imported to instantiate or to subclass it."""

    def __init__(self, module: str, name: str, scheme: str) -> None:
        self._module, self._name = module, name
        self.scheme = scheme

    def _look_up(self) -> Any:
        return getattr(importlib.import_module(self._module), self._name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._look_up()(*arguments, **options)

    def __mro_entries__(self, bases: Any) -> Any:
        return (self._look_up(),)


@contextmanager
def imported_late(*names: str) -> Iterator[None]:
    """
    Within this context, imports of the modules yield stand-ins, which import the real modules on
    first use. Modules that are already imported are left alone.
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
    Stands in for a module that is imported when one of its attributes is first used. As long as it
    is in `sys.modules`, an access to an attribute is only an import statement that names it.
    """

    def step_aside(self) -> None:
        """Lets the real module be imported from now on."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def look_up(self, name: str) -> Any:
        """Returns an attribute or a submodule of the real module."""
        self.step_aside()
        module = importlib.import_module(self.__name__)
        if not hasattr(module, name):
            importlib.import_module(f"{self.__name__}.{name}")
        return getattr(module, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"{self.__name__} is not imported yet; it has no {name}")
        if sys.modules.get(self.__name__) is not self:
            return self.look_up(name)
        return sys.modules.get(f"{self.__name__}.{name}") or LateAttribute(self, name)


class LateAttribute:
    """Stands in for an attribute of a module, which is looked up whenever this is used."""

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
