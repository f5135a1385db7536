import torch
from torch.testing import assert_close

from spigot_allennlp.modules.pair_scorer import BiaffineScorer, MlpScorer


def test_scores_are_the_biaffine_form_of_every_pair_and_output():
    torch.manual_seed(0)
    scorer = BiaffineScorer(input_dim=4, num_outputs=3, hidden_dim=5).double()
    tokens = torch.randn(2, 6, 4, dtype=torch.double)
    scores = scorer(tokens)
    assert scores.shape == (2, 6, 6, 3)
    dependents = torch.nn.functional.elu(scorer._dependent(tokens))
    heads = torch.nn.functional.elu(scorer._head(tokens))
    for dependent, head, output in [(0, 1, 2), (3, 3, 0), (5, 2, 1)]:
        d, h = dependents[1, dependent], heads[1, head]
        expected = (
            d @ scorer._bilinear[output] @ h
            + scorer._from_dependent.weight[output] @ d
            + scorer._from_head.weight[output] @ h
            + scorer._from_dependent.bias[output]
        )
        assert_close(scores[1, dependent, head, output], expected)


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
