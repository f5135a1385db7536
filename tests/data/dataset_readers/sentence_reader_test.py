import logging
from itertools import product

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.data_loaders.multiprocess_data_loader import MultiProcessDataLoader, WorkerError
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceReader
from spigot_allennlp.data.dataset_readers.treebank_instance import treebank_instance
from spigot_allennlp.data.errors import Fault, MalformedInputError
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

    def text_to_instance(self, **layers):
        self.made += 1
        return treebank_instance(AnnotatedSentence(**layers))


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


def test_skipping_reports_what_was_left_out(caplog):
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
    there = sorted(one["metadata"].metadata["id"] for one in loader.iter_instances())
    assert there == [f"900000{number:02d}" for number in range(1, (max_instances or 10) + 1)]


def test_an_error_in_a_worker_reaches_the_user(tmp_path):
    path = tmp_path / "bad.sdp"
    path.write_text("1\ta\ta\tN\t?\t-\t_\n\n")
    with pytest.raises(WorkerError, match="bad.sdp:1: a flag that is neither"):
        MultiProcessDataLoader(SdpReader(), str(path), batch_size=2, num_workers=2)
