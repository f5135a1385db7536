import logging
import pickle
from itertools import product

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.data_loaders.multiprocess_data_loader import MultiProcessDataLoader, WorkerError
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.sentence_reader import (
    OpenAdjacencyField,
    OpenSequenceLabelField,
    SentenceReader,
)
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from tests.data.sample_files import CONLLX, SDP_2014, SDP_2015

BAD = {1, 2, 5, 9}


class CountingReader(SentenceReader):
    """Sentences of one word, its number; those in `BAD` cannot be read."""

    def __init__(self, size: int = 12, **kwargs) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.made = 0

    def _sentences(self, path):
        for number in range(self.size):
            if number in BAD:
                yield MalformedInputError(path, number + 1, Fault.CYCLE, "loop")
            else:
                yield AnnotatedSentence([str(number)])

    def sentence_to_instance(self, sentence):
        self.made += 1
        return super().sentence_to_instance(sentence)


SOUND = [str(number) for number in range(12) if number not in BAD]


def words_of(instances) -> list:
    return [token.text for instance in instances for token in instance["tokens"]]


def share_of(rank, ranks, worker, workers, **kwargs) -> tuple:
    reader = CountingReader(on_error="skip", **kwargs)
    if ranks:
        reader._set_distributed_info(DistributedInfo(ranks, rank))
    if workers:
        reader._set_worker_info(WorkerInfo(workers, worker))
    return words_of(reader.read("synthetic:")), reader.made


@pytest.mark.parametrize("ranks, workers", list(product([0, 1, 2, 3], [0, 1, 2, 5])))
@pytest.mark.parametrize("max_instances", [None, 0, 1, 5, 100])
def test_every_instance_is_made_once_however_it_is_shared(ranks, workers, max_instances):
    shares = [
        share_of(rank, ranks, worker, workers, max_instances=max_instances)
        for rank in range(max(ranks, 1))
        for worker in range(max(workers, 1))
    ]
    assert sorted(sum((words for words, _ in shares), []), key=int) == SOUND[:max_instances]
    sizes = [len(words) for words, _ in shares]
    assert max(sizes) - min(sizes) <= 1
    # No process makes an instance for another to throw away (but for one beyond the limit).
    assert all(made <= len(words) + 1 for words, made in shares)


def test_raising_is_the_default_and_names_file_line_and_reason():
    with pytest.raises(MalformedInputError, match="synthetic::2: a cycle in the tree: loop"):
        list(CountingReader().read("synthetic:"))


def test_skipping_is_reported(caplog):
    with caplog.at_level(logging.WARNING):
        assert words_of(CountingReader(on_error="skip").read("synthetic:")) == SOUND
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith("4 sentences of synthetic: were left out:\n4 x a cycle in the tree")
    assert "synthetic::2: loop; synthetic::3: loop; synthetic::6: loop; ..." in message


def test_skipping_is_reported_also_if_reading_ends_early(caplog):
    with caplog.at_level(logging.WARNING):
        list(CountingReader(on_error="skip", max_instances=2).read("synthetic:"))
    (record,) = caplog.records
    assert record.getMessage().startswith("2 sentences of synthetic: were left out")


def test_skipping_is_reported_by_one_process_only(caplog):
    with caplog.at_level(logging.WARNING):
        for rank, worker in product(range(2), range(2)):
            share_of(rank, 2, worker, 2)
    assert len(caplog.records) == 1


def test_a_sound_file_is_not_reported(caplog):
    with caplog.at_level(logging.WARNING):
        list(SdpReader(on_error="skip").read(SDP_2015))
    assert not caplog.records


def test_a_file_of_which_nothing_is_left_ends_the_run():
    reader = SdpReader(on_error="skip")
    with pytest.raises(MalformedInputError, match="every sentence of the file was left out: 10 x"):
        list(reader.read(CONLLX))


def test_a_file_of_which_nothing_was_wanted_ends_the_run_and_says_so():
    with pytest.raises(MalformedInputError, match="left out: none is of the kind that was asked"):
        list(CountingReader(size=0).read("synthetic:"))


def test_files_may_be_given_as_a_list():
    instances = list(SdpReader().read([SDP_2015, str(SDP_2014)]))
    assert len(instances) == 20
    assert words_of(instances[:10]) == words_of(instances[10:])


def test_reading_twice_gives_the_same():
    reader = SdpReader()
    assert words_of(reader.read(SDP_2015)) == words_of(reader.read(SDP_2015))


def test_another_way_to_take_errors_is_refused():
    with pytest.raises(ConfigurationError, match='on_error is "ignore", but must be "raise"'):
        SdpReader(on_error="ignore")


def test_tokens_get_their_indexers_late():
    indexers = {"lemmas": SingleIdTokenIndexer(feature_name="lemma_")}
    reader = SdpReader(token_indexers=indexers)
    instance = reader.text_to_instance(["Anna"], lemmas=["Anna"])
    with pytest.raises(ValueError, match="token_indexers have not been set"):
        instance.index_fields(Vocabulary())
    reader.apply_token_indexers(instance)
    assert instance["tokens"].token_indexers is indexers


@pytest.mark.parametrize("max_instances", [None, 7])
def test_a_loader_of_two_processes_yields_every_instance_once(max_instances):
    reader = SdpReader(companion=".conll", max_instances=max_instances)
    loader = MultiProcessDataLoader(reader, str(SDP_2015), batch_size=2, num_workers=2)
    identifiers = sorted(
        instance["metadata"].metadata["id"] for instance in loader.iter_instances()
    )
    assert identifiers == [f"900000{number:02d}" for number in range(1, (max_instances or 10) + 1)]


def test_an_error_in_a_worker_reaches_the_user(tmp_path):
    path = tmp_path / "bad.sdp"
    path.write_text("1\ta\ta\tN\t?\t-\t_\n\n")
    with pytest.raises(WorkerError, match="bad.sdp:1: a flag that is neither"):
        MultiProcessDataLoader(SdpReader(), str(path), batch_size=2, num_workers=2)


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


def instance_of(sentence: AnnotatedSentence) -> Instance:
    return SdpReader().sentence_to_instance(sentence)


def test_every_layer_has_its_field():
    instance = instance_of(SENTENCE)
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
    instance = instance_of(SENTENCE)
    vocabulary = Vocabulary(counter={"semantic_roles": {"ARG1": 2, "ARG2": 1}})
    instance["tokens"].token_indexers = {"tokens": SingleIdTokenIndexer()}
    instance.index_fields(vocabulary)
    graph = instance["graph"].as_tensor({"num_tokens": 4})
    arg1, arg2 = (vocabulary.get_token_index(role, "semantic_roles") for role in ("ARG1", "ARG2"))
    assert graph.tolist() == [[-1, arg1, -1, arg1], [-1] * 4, [-1] * 4, [-1, arg2, -1, -1]]


def test_layers_that_are_not_given_have_no_field_and_tokens_say_so():
    instance = instance_of(AnnotatedSentence(["Go"]))
    assert set(instance.fields) == {"tokens", "metadata"}
    token = instance["tokens"][0]
    assert (token.lemma_, token.pos_, token.tag_) == ("_", "_", "_")
    assert instance["metadata"].metadata["lemmas"] is None


def test_fine_tags_stand_beside_the_coarse_ones_and_in_for_them():
    both = instance_of(AnnotatedSentence(["Go"], pos=["VERB"], tags=["VB"]))["tokens"][0]
    fine = instance_of(AnnotatedSentence(["Go"], tags=["VB"]))["tokens"][0]
    assert (both.pos_, both.tag_, fine.pos_) == ("VERB", "VB", "VB")


def test_a_sentence_may_have_a_graph_without_arcs():
    instance = instance_of(AnnotatedSentence(["Go"], arcs=[], tops=[1]))
    instance["tokens"].token_indexers = {"tokens": SingleIdTokenIndexer()}
    instance.index_fields(Vocabulary())
    assert instance["graph"].as_tensor({"num_tokens": 1}).tolist() == [[-1]]


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(ConfigurationError, match="2 relations for 1 words"):
        instance_of(AnnotatedSentence(["Go"], relations=["root", "root"]))
    with pytest.raises(ConfigurationError, match="outside a sentence of 1 words"):
        instance_of(AnnotatedSentence(["Go"], tops=[2]))


def test_layers_that_fit_pass():
    heads, arcs = [0, 1], [(2, 1, "ARG1")]
    sentence = AnnotatedSentence(["a", "b"], ["a", "b"], heads=heads, arcs=arcs, tops=[2])
    assert set(instance_of(sentence).fields) == {"tokens", "heads", "graph", "tops", "metadata"}


def test_a_layer_of_another_length_is_named():
    with pytest.raises(ConfigurationError, match=r"3 lemmas for 2 words: \['a', 'b'\]"):
        instance_of(AnnotatedSentence(["a", "b"], lemmas=["a", "b", "c"]))


def test_a_sentence_has_a_word():
    with pytest.raises(ConfigurationError, match="without words"):
        instance_of(AnnotatedSentence([]))


@pytest.mark.parametrize(
    "layers, wrong",
    [
        ({"heads": [3, 0]}, 3),
        ({"heads": [-1, 0]}, -1),
        ({"arcs": [(0, 1, "r")]}, 0),
        ({"arcs": [(1, 3, "r")]}, 3),
        ({"tops": [0]}, 0),
    ],
)
def test_a_position_outside_the_sentence_is_named(layers, wrong):
    with pytest.raises(ConfigurationError, match=rf"\[{wrong}\] are outside .* 2 words"):
        instance_of(AnnotatedSentence(["a", "b"], **layers))


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


def test_a_class_that_the_training_data_do_not_have_is_refused_with_its_place():
    reader = SdpReader()
    known, unknown = (
        reader.text_to_instance(words=["a"], label=label, source=f"dev.txt:{line}")
        for line, label in enumerate("04", start=1)
    )
    reader.apply_token_indexers(known)
    vocab = Vocabulary.from_instances([known])
    known["label"].index(vocab)
    with pytest.raises(ConfigurationError, match=r"dev.txt:2 has the label '4'.*only \['0'\]"):
        unknown["label"].index(vocab)


@pytest.mark.parametrize("head", ["0", None, 0.5, -1, 2])
def test_a_head_that_is_no_position_is_refused(head):
    with pytest.raises(ConfigurationError, match=r"The positions \[.*\] are outside a sentence"):
        SdpReader().text_to_instance(words=["a"], heads=[head])
