import json

import pytest
import torch

from spigot_allennlp.metrics.class_scores import ClassScores
from spigot_allennlp.metrics.counting_metric import CountingMetric
from spigot_allennlp.metrics.outside_structure import OutsideStructure
from spigot_allennlp.metrics.semantic_f1 import SemanticF1
from spigot_allennlp.metrics.tree_attachment import TreeAttachment
from spigot_allennlp.metrics.v_measure import VMeasure

METRICS = [
    ClassScores(3),
    OutsideStructure("outside"),
    SemanticF1(unknown_label=1),
    TreeAttachment(labelled=True, unknown_label=None),
    VMeasure(2, 3),
]


def test_before_the_first_count_and_after_a_reset_all_counts_are_zero():
    metric = ClassScores(2)
    assert metric.counts.tolist() == [0, 0, 0, 0]
    metric(torch.tensor([1]), torch.tensor([0]))
    assert metric.counts.tolist() == [0, 1, 0, 0]
    metric.reset()
    assert metric.counts.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
def test_a_metric_made_from_settings_that_were_stored_has_the_same_metrics(metric: CountingMetric):
    counts = torch.arange(1, len(metric.counts) + 1)
    metric.add(counts)
    settings = json.loads(json.dumps(metric.settings()))
    assert "_counts" not in settings
    again = type(metric).from_settings(settings)
    assert again.get_metric() == {} and again.counts.tolist() == [0] * len(counts)
    again.add(counts)
    assert again.get_metric() == metric.get_metric(reset=True)
