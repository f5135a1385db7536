"""Looking names up leaves AllenNLP's registry as it was; see `tests/registration_test.py`."""

from pathlib import Path

import pytest
from allennlp.common import Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.modules.token_embedders import Embedding

import spigot_allennlp  # noqa: F401  patches
from spigot_allennlp.ablation.plan.validation import config_error
from tests.training_config_test import TINY

FOLDER = Path(__file__).parents[2] / "training_config"


@pytest.mark.parametrize("look_up", [Embedding.list_available, lambda: Embedding.by_name("no")])
def test_a_class_without_names_can_be_built_after_it_was_asked_for_one(look_up):
    assert Embedding not in Registrable._registry
    with pytest.raises(ConfigurationError):
        look_up()
    assert Embedding not in Registrable._registry
    params = Params({"embedding_dim": 3, "num_embeddings": 2})
    assert Embedding.from_params(params).weight.shape == (2, 3)


def test_a_class_may_get_its_first_name_after_it_was_asked_for_one():
    class Kind(Registrable):
        pass

    assert Kind.list_available() == []
    Kind.register("first")(type("First", (Kind,), {}))
    assert Kind.list_available() == ["first"] and Kind.by_name("first").__name__ == "First"


@pytest.mark.parametrize("config", sorted(FOLDER.glob("*/*.jsonnet")), ids=lambda path: path.stem)
def test_to_check_a_config_of_an_ablation_changes_nothing(config, monkeypatch):
    for name, value in TINY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPIGOT_TRANSFORMER", "no/such/model")
    monkeypatch.setenv("SPIGOT_ARCHIVE", "no/such/archive")
    before = {kind: dict(names) for kind, names in Registrable._registry.items()}
    config_error(Params.from_file(str(config)).as_dict())
    assert Registrable._registry.keys() == before.keys() | {
        kind for kind, names in Registrable._registry.items() if names
    }
