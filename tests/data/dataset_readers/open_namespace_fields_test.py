import logging
import pickle

import pytest
from allennlp.data import Token, Vocabulary
from allennlp.data.fields import TextField

from spigot_allennlp.data.dataset_readers.open_namespace_fields import (
    OpenAdjacencyField,
    OpenSequenceLabelField,
)

TOKENS = TextField([Token("a"), Token("b")])


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(counter={"roles": {"ARG1": 2, "ARG2": 1}})


def graph(role: str) -> OpenAdjacencyField:
    return OpenAdjacencyField([(0, 1)], TOKENS, [role], "roles")


def test_no_warning_is_logged_for_a_namespace_with_an_unknown_label(caplog):
    with caplog.at_level(logging.WARNING):
        graph("ARG1")
        OpenSequenceLabelField(["x", "y"], TOKENS, "relations")
    assert not caplog.records


def test_a_role_that_training_never_saw_becomes_the_unknown_label(vocabulary):
    field = graph("ARG9")
    field.index(vocabulary)
    unknown = vocabulary.get_token_index("@@UNKNOWN@@", "roles")
    assert unknown == 1
    assert field.as_tensor({"num_tokens": 3}).tolist() == [[-1, 1, -1], [-1] * 3, [-1] * 3]


def test_a_relation_that_training_never_saw_becomes_the_unknown_label(vocabulary):
    field = OpenSequenceLabelField(["ARG2", "ARG9"], TOKENS, "roles")
    field.index(vocabulary)
    assert field.as_tensor({"num_tokens": 2}).tolist() == [3, 1]


def test_the_fields_cross_processes(vocabulary):
    copy = pickle.loads(pickle.dumps(graph("ARG1")))
    copy.index(vocabulary)
    assert copy.as_tensor({"num_tokens": 2}).tolist() == [[-1, 2], [-1, -1]]
