import torch
from torch.testing import assert_close

from spigot_allennlp.modules.pair_scorer.mlp import MlpScorer


def test_scores_are_the_two_layer_perceptron_of_every_pair():
    torch.manual_seed(0)
    scorer = MlpScorer(input_dim=4, num_outputs=3, hidden_dim=5)
    tokens = torch.randn(2, 6, 4)
    scores = scorer(tokens)
    assert scores.shape == (2, 6, 6, 3)
    dependent, head = tokens[1, 3], tokens[1, 5]
    first = torch.tanh(scorer._dependent(dependent) + scorer._head(head))
    expected = scorer._output(torch.tanh(scorer._hidden(first)))
    assert_close(scores[1, 3, 5], expected)
