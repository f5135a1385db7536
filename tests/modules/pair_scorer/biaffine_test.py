import torch
from torch.testing import assert_close

from spigot_allennlp.modules.pair_scorer.biaffine import BiaffineScorer


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
