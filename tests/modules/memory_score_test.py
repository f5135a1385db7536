import pytest
import torch
from allennlp.common import Params
from torch.testing import assert_close

from spigot_allennlp.modules.memory_score import MemoryScore
from spigot_allennlp.nn.attentive.memory import WEIGHT_RULES

HIDDEN = 6


class ReleasedScore(MemoryScore):
    """`w1 . tanh(present) + w2 . tanh(stored)`: the rule of the code that the authors released."""

    def __init__(self, hidden_size):
        super().__init__(hidden_size, size=hidden_size)
        self.present, self.stored = torch.randn(2, hidden_size)

    def key(self, value):
        return value

    def forward(self, hidden, keys):
        return (hidden.tanh() @ self.present).unsqueeze(-1) + keys.tanh() @ self.stored


def attention_depends_on_the_present_state(score: MemoryScore, rule) -> bool:
    """Whether two different present states weigh the same memories differently."""
    memories = torch.randn(1, 7, HIDDEN)
    keys = score.key(memories)
    weights = []
    for hidden in torch.randn(2, 1, HIDDEN):
        scores, index = score(hidden, keys).topk(4)
        weights.append(torch.zeros(7).scatter(0, index[0, :3], rule(scores, 3, 0.1, None)[0]))
    return float((weights[0] - weights[1]).detach().abs().max()) > 1e-3


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(2)


@pytest.mark.parametrize("rule", WEIGHT_RULES.values(), ids=WEIGHT_RULES)
@pytest.mark.parametrize("name", MemoryScore.list_available())
def test_attention_depends_on_the_present_state(name, rule):
    score = MemoryScore.by_name(name)(hidden_size=HIDDEN)
    assert attention_depends_on_the_present_state(score, rule)


@pytest.mark.parametrize("rule", WEIGHT_RULES.values(), ids=WEIGHT_RULES)
def test_by_the_released_rule_it_would_not(rule):
    assert not attention_depends_on_the_present_state(ReleasedScore(HIDDEN), rule)


def test_an_additive_score_has_a_hidden_layer():
    score = MemoryScore.from_params(Params({"type": "additive", "size": 3}), hidden_size=HIDDEN)
    hidden, memories = torch.randn(2, HIDDEN), torch.randn(2, 5, HIDDEN)
    w = torch.cat([score._present.weight, score._stored.weight], dim=1)
    pairs = torch.cat([hidden.unsqueeze(1).expand(-1, 5, -1), memories], dim=-1)
    expected = (pairs @ w.t() + score._present.bias).tanh() @ score._output.weight[0]
    assert_close(score(hidden, score.key(memories)), expected)


def test_its_activation_is_a_choice():
    params = Params({"type": "additive", "activation": "relu"})
    score = MemoryScore.from_params(params, hidden_size=HIDDEN)
    assert isinstance(score._activation, torch.nn.ReLU)


def test_a_bilinear_score_is_a_bilinear_form():
    score = MemoryScore.from_params(Params({"type": "bilinear", "size": 4}), hidden_size=HIDDEN)
    hidden, memories = torch.randn(2, HIDDEN), torch.randn(2, 5, HIDDEN)
    query, bias, key = score.as_bilinear()
    expected = torch.einsum("bh,ah,ai,bmi->bm", hidden, query, key, memories)
    expected += torch.einsum("a,ai,bmi->bm", bias, key, memories)
    assert_close(score(hidden, score.key(memories)), expected)
    assert_close(query * 2, score._query.weight)  # by the root of the size
