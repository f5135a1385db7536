"""The attachment scores against hand-worked numbers and against AllenNLP's own metric."""

import pytest
import torch
from allennlp.common.testing import run_distributed_test
from allennlp.training.metrics import AttachmentScores, Metric

from spigot_allennlp.metrics.tree_attachment import TreeAttachment

UNKNOWN = 1


def random_batch(seed, batch_size=5, length=9):
    torch.manual_seed(seed)
    gold_heads = torch.randint(0, length, (batch_size, length))
    gold_relations = torch.randint(2, 5, (batch_size, length))
    lengths = torch.randint(1, length + 1, (batch_size, 1))
    return {
        "predicted_heads": torch.where(torch.rand(batch_size, length) < 0.7, gold_heads, 0),
        "gold_heads": gold_heads,
        "mask": torch.arange(length) < lengths,
        "punctuation": torch.rand(batch_size, length) < 0.2,
        "predicted_relations": torch.where(torch.rand(batch_size, length) < 0.7, gold_relations, 2),
        "gold_relations": gold_relations,
    }


def score(tensors, metric=None):
    metric = metric or TreeAttachment()
    metric(**tensors)
    return metric.get_metric()


def test_the_metrics_of_a_small_batch_are_those_worked_by_hand():
    metrics = score(
        {
            # The second sentence has two tokens; what its padding holds is not to count.
            "predicted_heads": torch.tensor([[2, 0, 2, 2], [0, 1, 5, 5]]),
            "gold_heads": torch.tensor([[2, 0, 4, 2], [2, 1, 5, 5]]),
            "mask": torch.tensor([[True, True, True, True], [True, True, False, False]]),
            "punctuation": torch.tensor([[False, False, False, True], [False, False, False, True]]),
            "predicted_relations": torch.tensor([[3, 2, 2, 4], [2, 3, 2, 2]]),
            "gold_relations": torch.tensor([[3, 2, 2, 3], [2, 4, 2, 2]]),
        }
    )
    # Heads: right, right, wrong, right (punctuation); wrong, right.
    # Relations of the right heads: right, right, wrong; wrong.
    assert metrics == pytest.approx(
        {
            "uas": 4 / 6,
            "las": 2 / 6,
            "uas_without_punctuation": 3 / 5,
            "las_without_punctuation": 2 / 5,
        }
    )


@pytest.mark.parametrize("seed", range(5))
def test_both_variants_equal_allennlp_s_scores_under_the_mask_that_leaves_punctuation_out(seed):
    tensors = random_batch(seed)
    metrics = score(tensors)
    for suffix, mask in {
        "": tensors["mask"],
        "_without_punctuation": tensors["mask"] & ~tensors["punctuation"],
    }.items():
        reference = AttachmentScores()
        reference(
            tensors["predicted_heads"],
            tensors["predicted_relations"],
            tensors["gold_heads"],
            tensors["gold_relations"],
            mask,
        )
        assert metrics[f"uas{suffix}"] == pytest.approx(reference.get_metric()["UAS"])
        assert metrics[f"las{suffix}"] == pytest.approx(reference.get_metric()["LAS"])


def test_batches_one_at_a_time_add_up_to_the_whole():
    tensors = random_batch(6)
    metric = TreeAttachment()
    for row in range(5):
        metrics = score({name: tensor[row : row + 1] for name, tensor in tensors.items()}, metric)
    assert metrics == score(tensors)


def test_an_unlabelled_parser_gets_no_labelled_metrics():
    tensors = random_batch(7)
    del tensors["predicted_relations"], tensors["gold_relations"]
    assert set(score(tensors, TreeAttachment(labelled=False))) == {"uas", "uas_without_punctuation"}


@pytest.mark.parametrize("forgotten", ["predicted_relations", "gold_relations"])
def test_a_labelled_score_needs_relations_on_both_sides(forgotten):
    tensors = random_batch(7)
    del tensors[forgotten]
    with pytest.raises(AssertionError, match="labelled"):
        score(tensors)


def test_an_unlabelled_score_needs_none_though_gold_may_have_them():
    tensors = random_batch(7)
    del tensors["predicted_relations"]
    scores = score(tensors, TreeAttachment(labelled=False))
    assert set(scores) == {"uas", "uas_without_punctuation"}


def test_the_unknown_relation_is_never_right():
    tensors = random_batch(8)
    tensors["predicted_relations"] = tensors["gold_relations"] = torch.full_like(
        tensors["gold_relations"], UNKNOWN
    )
    assert score(tensors)["las"] == 0
    assert score(tensors, TreeAttachment(unknown_label=7))["las"] == score(tensors)["uas"] > 0


def test_without_tokens_there_is_no_metric_also_after_a_reset():
    metric = Metric.by_name("tree_attachment")()
    assert metric.get_metric() == {}
    score(random_batch(9), metric)
    metric.get_metric(reset=True)
    assert metric.get_metric() == {}


def score_on_worker(rank, world_size, device, batches, desired):
    assert score(batches[rank]) == desired


def test_workers_with_sentences_of_different_length_report_the_metrics_of_both():
    batches = [random_batch(10, length=9), random_batch(11, length=4)]
    both = TreeAttachment()
    for tensors in batches:
        both(**tensors)
    run_distributed_test([-1, -1], score_on_worker, batches, both.get_metric())
