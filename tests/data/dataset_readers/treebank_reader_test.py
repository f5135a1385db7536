from allennlp.data import Vocabulary
from allennlp.data.data_loaders.multiprocess_data_loader import MultiProcessDataLoader

from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from tests.data.sample_files import SDP_2015


def test_text_to_instance_takes_the_layers_by_position():
    instance = ConllReader().text_to_instance(
        ["Go"], ["go"], ["VB"], [0], ["root"], [], [1], "one", "file:1"
    )
    assert instance["heads"].labels == [0]
    assert instance["tops"].labels == [1]
    assert instance["metadata"].metadata["id"] == "one"
    assert instance["metadata"].metadata["source"] == "file:1"


def test_a_batch_of_a_loader_of_two_processes_has_the_tensors_of_every_field():
    reader = SdpReader(companion=".conll")
    vocabulary = Vocabulary.from_instances(reader.read(SDP_2015))
    loader = MultiProcessDataLoader(reader, str(SDP_2015), batch_size=10, num_workers=2)
    loader.index_with(vocabulary)
    batches = list(loader)
    assert sum(len(batch["metadata"]) for batch in batches) == 10
    for batch in batches:
        size, length = batch["heads"].shape
        assert batch["tokens"]["tokens"]["tokens"].shape == (size, length)
        assert batch["graph"].shape == (size, length, length)
        assert batch["tops"].shape == batch["relations"].shape == (size, length)
