import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.treebank_instance import treebank_instance

SENTENCE = AnnotatedSentence(
    words=["Anna", "wants", "to", "leave"],
    lemmas=["Anna", "want", "to", "leave"],
    pos=["NNP", "VBZ", "TO", "VB"],
    heads=[2, 0, 4, 2],
    relations=["nsubj", "root", "mark", "xcomp"],
    arcs=[(2, 1, "ARG1"), (2, 4, "ARG2"), (4, 1, "ARG1")],
    tops=[2],
    identifier="3",
    source="a.sdp:14",
)


def test_every_layer_has_its_field():
    instance = treebank_instance(SENTENCE)
    token = instance["tokens"][1]
    assert (token.text, token.lemma_, token.pos_, token.tag_) == ("wants", "want", "VBZ", "VBZ")
    assert instance["heads"].labels == [2, 0, 4, 2]
    assert instance["relations"].labels == ["nsubj", "root", "mark", "xcomp"]
    assert instance["tops"].labels == [0, 1, 0, 0]
    assert instance["metadata"].metadata == {
        "id": "3",
        "words": SENTENCE.words,
        "lemmas": SENTENCE.lemmas,
        "pos": SENTENCE.pos,
        "source": "a.sdp:14",
    }


def test_the_graph_has_a_row_for_each_argument_and_a_column_for_each_predicate():
    instance = treebank_instance(SENTENCE)
    vocabulary = Vocabulary(counter={"semantic_roles": {"ARG1": 2, "ARG2": 1}})
    instance["tokens"].token_indexers = {"tokens": SingleIdTokenIndexer()}
    instance.index_fields(vocabulary)
    graph = instance["graph"].as_tensor({"num_tokens": 4})
    one, two = (vocabulary.get_token_index(role, "semantic_roles") for role in ("ARG1", "ARG2"))
    assert graph.tolist() == [[-1, one, -1, one], [-1] * 4, [-1] * 4, [-1, two, -1, -1]]


def test_layers_that_are_not_given_have_no_field_and_tokens_say_so():
    instance = treebank_instance(AnnotatedSentence(["Go"]))
    assert set(instance.fields) == {"tokens", "metadata"}
    token = instance["tokens"][0]
    assert (token.lemma_, token.pos_, token.tag_) == ("_", "_", "_")
    assert instance["metadata"].metadata["lemmas"] is None


def test_fine_tags_stand_beside_the_coarse_ones_and_in_for_them():
    both = treebank_instance(AnnotatedSentence(["Go"], pos=["VERB"], tags=["VB"]))["tokens"][0]
    fine = treebank_instance(AnnotatedSentence(["Go"], tags=["VB"]))["tokens"][0]
    assert (both.pos_, both.tag_, fine.pos_) == ("VERB", "VB", "VB")


def test_a_sentence_may_have_a_graph_without_arcs():
    instance = treebank_instance(AnnotatedSentence(["Go"], arcs=[], tops=[1]))
    instance["tokens"].token_indexers = {"tokens": SingleIdTokenIndexer()}
    instance.index_fields(Vocabulary())
    assert instance["graph"].as_tensor({"num_tokens": 1}).tolist() == [[-1]]


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ConfigurationError, match="2 relations for 1 words"):
        treebank_instance(AnnotatedSentence(["Go"], relations=["root", "root"]))
    with pytest.raises(ConfigurationError, match="outside a sentence of 1 words"):
        treebank_instance(AnnotatedSentence(["Go"], tops=[2]))
