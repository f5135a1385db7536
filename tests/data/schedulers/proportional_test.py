import random
from collections import Counter

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Token
from allennlp.data.fields import MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.data.schedulers.proportional import ProportionalScheduler


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


def test_a_missing_or_impossible_batch_size_is_refused():
    with pytest.raises(ConfigurationError, match="no entry for the data set 'graphs'"):
        ProportionalScheduler({"trees": 4}).count_batches({"graphs": 3})
    with pytest.raises(ConfigurationError, match="positive"):
        ProportionalScheduler(0)
