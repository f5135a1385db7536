import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader

from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.synthetic_treebank import SyntheticTreebankReader
from spigot_allennlp.data.synthetic.treebank.treebank import generate_sentences

SPEC = "synthetic:size=12,seed=6"


def test_it_is_chosen_by_name():
    reader = DatasetReader.from_params(Params({"type": "synthetic_treebank", "max_instances": 3}))
    assert isinstance(reader, SyntheticTreebankReader)
    assert len(list(reader.read(SPEC))) == 3


def test_the_instances_are_those_that_the_readers_of_the_formats_make():
    ours = list(SyntheticTreebankReader().read(SPEC))
    graphs = list(SdpReader().read(SPEC))
    trees = list(ConllReader().read(SPEC))
    for instance, graph, tree in zip(ours, graphs, trees, strict=True):
        assert [str(token) for token in instance["tokens"]] == [
            str(token) for token in graph["tokens"]
        ]
        assert [token.lemma_ for token in instance["tokens"]] == instance["metadata"]["lemmas"]
        assert instance["graph"].indices == graph["graph"].indices
        assert instance["graph"].labels == graph["graph"].labels
        assert instance["tops"].labels == graph["tops"].labels
        assert instance["heads"].labels == tree["heads"].labels
        assert instance["relations"].labels == tree["relations"].labels
        assert instance["metadata"]["id"] == graph["metadata"]["id"]
        assert "label" not in instance.fields


def test_a_sentence_is_found_again_by_its_source():
    instances = list(SyntheticTreebankReader().read(SPEC))
    assert [instance["metadata"]["source"] for instance in instances[:2]] == (
        [f"{SPEC}:1", f"{SPEC}:2"]
    )


@pytest.mark.parametrize(
    "sentiment, names", [("5-class", "01234"), ("3-class", "00122"), ("2-class", "00-11")]
)
def test_the_sentiment_is_a_label_where_it_is_asked_for(sentiment, names):
    spec = "synthetic:size=80,seed=6"
    instances = list(SyntheticTreebankReader(sentiment=sentiment).read(spec))
    expected = [names[sentence.label] for sentence in generate_sentences(size=80, seed=6)]
    assert "-" in expected or sentiment != "2-class"
    assert [instance["label"].label for instance in instances] == [
        name for name in expected if name != "-"
    ]


def test_layers_that_are_not_wanted_are_left_out():
    reader = SyntheticTreebankReader(trees=False, graphs=False, sentiment="5-class")
    instance = next(iter(reader.read(SPEC)))
    assert set(instance.fields) == {"tokens", "metadata", "label"}


def test_an_instance_can_be_made_of_words():
    instance = SyntheticTreebankReader().text_to_instance(["She", "left"], heads=[2, 0], label="1")
    assert set(instance.fields) == {"tokens", "heads", "label", "metadata"}


@pytest.mark.parametrize("path", ["synthetic:sise=3", "train.sdp", "synthetic:max_length=2"])
def test_a_wrong_specification_is_a_wrong_configuration(path):
    with pytest.raises(ConfigurationError, match=path):
        list(SyntheticTreebankReader().read(path))


def test_an_unknown_kind_of_label_is_refused():
    with pytest.raises(ConfigurationError, match='"binary", but must be one of 2-class, 3-class'):
        SyntheticTreebankReader(sentiment="binary")
