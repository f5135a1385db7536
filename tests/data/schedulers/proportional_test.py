import random
from collections import Counter

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from allennlp.data.dataset_readers.multitask import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.callbacks.resumable import SeededDataLoader
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.schedulers.proportional import ProportionalScheduler
from tests.data.sample_files import SDP_2015, SST


def instances(name, count):
    indexers = {"words": SingleIdTokenIndexer()}
    return [
        Instance(
            {
                "tokens": TextField([Token("x")] * (1 + i % 7), indexers),
                "name": MetadataField((name, i)),
            }
        )
        for i in range(count)
    ]


def names(batch):
    return [instance.fields["name"].metadata for instance in batch]


@pytest.fixture(autouse=True)
def seed():
    random.seed(3)


def test_every_instance_comes_once_and_no_batch_mixes_data_sets():
    data = {"trees": instances("trees", 23), "graphs": instances("graphs", 10)}
    batches = [names(batch) for batch in ProportionalScheduler(4).batch_instances(data)]
    assert all(len({name for name, _ in batch}) == 1 for batch in batches)
    seen = Counter(entry for batch in batches for entry in batch)
    assert seen == Counter([("trees", i) for i in range(23)] + [("graphs", i) for i in range(10)])


def test_the_number_of_batches_is_the_one_announced():
    data = {"trees": instances("trees", 23), "graphs": instances("graphs", 10)}
    scheduler = ProportionalScheduler({"trees": 4, "graphs": 3})
    batches = list(scheduler.batch_instances(data))
    assert len(batches) == scheduler.count_batches({"trees": 23, "graphs": 10}) == 6 + 4


def test_data_sets_come_in_proportion_to_their_size():
    data = {"large": instances("large", 900), "small": instances("small", 300)}
    order = [names(batch)[0][0] for batch in ProportionalScheduler(1).batch_instances(data)]
    # Each draw takes "large" with probability 3/4: 400 of them hardly ever miss 300 by 4 * 8.7.
    assert abs(order[:400].count("large") - 300) < 35


def test_a_batch_takes_sentences_of_like_length():
    data = {"trees": instances("trees", 70)}
    for batch in ProportionalScheduler(10, length_noise=0.0).batch_instances(data):
        assert len({len(instance.fields["tokens"]) for instance in batch}) == 1


def test_without_buckets_the_order_is_kept():
    data = {"trees": instances("trees", 9)}
    batches = [
        names(batch) for batch in ProportionalScheduler(4, bucket=False).batch_instances(data)
    ]
    assert [entry for batch in batches for entry in batch] == [("trees", i) for i in range(9)]


def test_the_same_seed_gives_the_same_epoch():
    data = {"trees": instances("trees", 23), "graphs": instances("graphs", 10)}
    epochs = []
    for _ in range(2):
        random.seed(5)
        epochs.append([names(batch) for batch in ProportionalScheduler(4).batch_instances(data)])
    assert epochs[0] == epochs[1]


@pytest.mark.parametrize("share, used", [(0.2, 2), (0.25, 2), (0.28, 3), (0.0, 0), (1.0, 10)])
@pytest.mark.parametrize("bucket", [True, False])
def test_a_share_of_a_data_set_is_used_and_the_number_of_batches_is_the_one_announced(
    share, used, bucket
):
    data = {"trees": instances("trees", 23), "graphs": instances("graphs", 10)}
    scheduler = ProportionalScheduler(2, bucket, shares={"graphs": share})
    batches = [names(batch) for batch in scheduler.batch_instances(data)]
    assert len(batches) == scheduler.count_batches({"trees": 23, "graphs": 10})
    seen = Counter(entry for batch in batches for entry in batch)
    assert sum(count for (name, _), count in seen.items() if name == "graphs") == used
    assert sum(count for (name, _), count in seen.items() if name == "trees") == 23
    assert set(seen.values()) == {1}


def test_the_share_is_drawn_anew_in_each_epoch_and_in_the_end_everything_was_used():
    data = {"graphs": instances("graphs", 20)}
    scheduler = ProportionalScheduler(1, shares={"graphs": 0.2})
    epochs = [
        {entry for batch in scheduler.batch_instances(data) for entry in names(batch)}
        for _ in range(60)
    ]
    assert all(len(epoch) == 4 for epoch in epochs)
    assert epochs[0] != epochs[1]
    counts = Counter(entry for epoch in epochs for entry in epoch)
    # Each is sampled with probability 1/5: 12 times of 60, give or take 3.1.
    assert len(counts) == 20 and all(abs(count - 12) < 12 for count in counts.values())


def test_the_same_seed_draws_the_same_share():
    data = {"graphs": instances("graphs", 20)}
    scheduler = ProportionalScheduler(3, shares={"graphs": 0.5})
    epochs = []
    for _ in range(2):
        random.seed(5)
        epochs.append([names(batch) for batch in scheduler.batch_instances(data)])
    assert epochs[0] == epochs[1]


def test_a_share_is_in_the_order_of_the_file_where_there_are_no_buckets():
    data = {"graphs": instances("graphs", 40)}
    scheduler = ProportionalScheduler(3, bucket=False, shares={"graphs": 0.5})
    seen = [i for batch in scheduler.batch_instances(data) for _, i in names(batch)]
    assert len(seen) == 20 and seen == sorted(seen)


def test_a_data_set_of_which_nothing_is_used_does_not_upset_the_proportions_of_the_others():
    data = {name: instances(name, count) for name, count in (("a", 900), ("b", 300), ("c", 5))}
    scheduler = ProportionalScheduler(1, shares={"c": 0.0})
    order = [names(batch)[0][0] for batch in scheduler.batch_instances(data)]
    assert len(order) == 1200
    assert abs(order[:400].count("a") - 300) < 35


def test_without_shares_no_random_number_is_drawn_for_them():
    data = {"trees": instances("trees", 9)}
    list(ProportionalScheduler(4, bucket=False).batch_instances(data))
    after = random.random()
    random.seed(3)
    for _ in range(3):
        random.choices(["trees"], [3])
    assert random.random() == after


def test_in_a_run_that_can_be_resumed_the_share_of_an_epoch_follows_from_its_number():
    reader = MultiTaskDatasetReader({"graphs": SdpReader(), "sentences": SstReader()})
    paths = {"graphs": str(SDP_2015), "sentences": str(SST)}
    loader = MultiTaskDataLoader(reader, paths, ProportionalScheduler(2, shares={"graphs": 0.5}))
    loader.index_with(Vocabulary.from_instances(loader.iter_instances()))

    def graphs_of(number):
        batches = list(SeededDataLoader(loader, 1, "train", lambda: number))
        assert len(batches) == len(loader) == 3 + 5
        return [
            metadata["id"]
            for batch in batches
            if "graph" in batch
            for metadata in batch["metadata"]
        ]

    first = graphs_of(0)
    random.random()
    assert graphs_of(0) == first and len(first) == 5
    assert set(graphs_of(1)) != set(first)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ConfigurationError, match=r"shares trees must be in \[0, 1\] but is"):
        ProportionalScheduler(4, shares={"trees": share})


def test_a_share_of_a_data_set_that_is_not_there_is_refused_with_the_names_of_those_that_are():
    scheduler = ProportionalScheduler(4, shares={"graphs": 0.2})
    message = r"shares name \['graphs'\], but the data sets are \['semantics', 'trees'\]"
    with pytest.raises(ConfigurationError, match=message):
        next(scheduler.batch_instances({"trees": instances("trees", 3), "semantics": []}))
    with pytest.raises(ConfigurationError, match=message):
        scheduler.count_batches({"trees": 3, "semantics": 4})


def test_a_missing_or_impossible_batch_size_is_refused():
    with pytest.raises(ConfigurationError, match="no entry for the data set 'graphs'"):
        ProportionalScheduler({"trees": 4}).count_batches({"graphs": 3})
    with pytest.raises(ConfigurationError, match="batch_size must be at least 1 but is 0"):
        ProportionalScheduler(0)
