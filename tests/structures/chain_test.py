import itertools
import math

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.nn.chain import chain
from spigot_allennlp.nn.chain.chain import chain_scores
from spigot_allennlp.structures.chain import Chain
from tests.structures.structure_contract import StructureContract


@pytest.fixture(params=["kernels", "torch_fallback"], autouse=True)
def path(request, monkeypatch):
    """
    Every test runs twice: with the kernels, and with what other devices than the CPU get.
    """
    monkeypatch.setattr(chain, "has_kernels", lambda device: request.param == "kernels")


class ChainContract(StructureContract):
    num_tags: int

    @pytest.fixture
    def structure(self):
        return Chain()

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape, self.num_tags, self.num_tags])

    def enumerate(self, structure, legal):
        length = max([0, *legal.flatten(1).any(dim=-1).nonzero().flatten().tolist()])
        objects = [
            as_parts(tags, legal.shape)
            for tags in itertools.product(range(self.num_tags), repeat=length)
        ]
        objects = torch.stack(objects)
        return objects[~(objects.bool() & ~legal).flatten(1).any(dim=1)]


def as_parts(tags, shape):
    parts = torch.zeros(shape, dtype=torch.double)
    for position, (previous, tag) in enumerate(itertools.pairwise((0, *tags)), start=1):
        parts[position, tag, previous] = 1
    return parts


class TestThreeTags(ChainContract):
    num_tags = 3

    def token_mask(self):
        return torch.arange(5) <= torch.tensor([3, 1, 2, 0]).unsqueeze(1)


class TestTwoTags(ChainContract):
    num_tags = 2

    def token_mask(self):
        return torch.arange(5) <= torch.tensor([2, 4, 3, 1, 0]).unsqueeze(1)


class TestOneTag(ChainContract):
    num_tags = 1

    def token_mask(self):
        return torch.arange(4) <= torch.tensor([3, 0, 1]).unsqueeze(1)


def legal_parts(scores, *lengths):
    token_mask = torch.arange(scores.size(1)) <= torch.tensor(lengths).unsqueeze(1)
    return Chain().part_mask(token_mask, scores.shape)


@pytest.mark.parametrize("num_tags", [1, 2, 5])
def test_at_zero_scores_every_sequence_counts_once(num_tags):
    scores = torch.zeros(4, 8, num_tags, num_tags)
    total = Chain().log_partition(scores, legal_parts(scores, 0, 1, 3, 7))
    expected = torch.tensor([0, 1, 3, 7]) * math.log(num_tags)
    torch.testing.assert_close(total, expected.float())


def test_the_root_has_no_tag_and_the_first_token_follows_tag_zero():
    scores = torch.zeros(1, 4, 2, 2)
    legal = legal_parts(scores, 2)[0]
    assert not legal[0].any() and not legal[3].any()
    assert legal[1].tolist() == [[True, False], [True, False]]
    assert legal[2].all()


def test_scores_of_tags_alone_give_the_best_tag_of_every_token():
    torch.manual_seed(0)
    unary = torch.randn(2, 6, 4)
    scores = chain_scores(unary)
    best = Chain().argmax(scores, legal_parts(scores, 5, 3))
    tags = best.sum(dim=-1)
    expected = torch.nn.functional.one_hot(unary.argmax(dim=-1), 4).float()
    expected[:, 0], expected[1, 4:] = 0, 0
    assert torch.equal(tags, expected)
    marginals = Chain().marginals(scores, legal_parts(scores, 5, 3)).sum(dim=-1)
    torch.testing.assert_close(marginals[0, 1:], unary[0, 1:].softmax(dim=-1))


def test_what_cannot_follow_does_not():
    # tag 2 is best everywhere, but must not follow itself
    unary = torch.tensor([0.0, 1.0, 3.0]).expand(1, 5, 3)
    transitions = torch.zeros(3, 3)
    transitions[2, 2] = -torch.inf
    scores = chain_scores(unary, transitions)
    mask = legal_parts(scores, 4)
    best = Chain().argmax(scores, mask).sum(dim=-1)[0, 1:].argmax(dim=-1).tolist()
    assert best in ([2, 1, 2, 1], [1, 2, 1, 2], [2, 1, 1, 2])
    assert Chain().log_partition(scores, mask).isfinite().all()
    assert not Chain().marginals(scores, mask)[0, 2:, 2, 2].any()


def test_no_transition_leads_to_the_first_token():
    unary, transitions = torch.zeros(1, 3, 2), torch.full((2, 2), 5.0)
    scores = chain_scores(unary, transitions)
    assert scores[0, 1].eq(0).all() and scores[0, 2].eq(5).all()


def test_neighbours_agree():
    torch.manual_seed(1)
    scores = torch.randn(3, 7, 4, 4)
    mask = legal_parts(scores, 6, 4, 1)
    for parts in (
        Chain().argmax(scores, mask),
        Chain().sample(scores, mask),
        Chain().marginals(scores, mask),
    ):
        tags, previous = parts.sum(dim=3), parts.sum(dim=2)
        for sentence, length in enumerate([6, 4, 1]):
            torch.testing.assert_close(previous[sentence, 2:length], tags[sentence, 1 : length - 1])


def test_scores_without_previous_tags_are_refused_with_the_way_out():
    with pytest.raises(ConfigurationError, match=r"\(2, 5, 3\).*chain_scores"):
        Chain().part_mask(torch.ones(2, 5, dtype=torch.bool), torch.Size([2, 5, 3]))
    with pytest.raises(ConfigurationError, match="num_tags, num_tags"):
        Chain().part_mask(torch.ones(2, 5, dtype=torch.bool), torch.Size([2, 5, 3, 4]))


def test_there_is_no_local_projection():
    with pytest.raises(ConfigurationError, match="projected_step, which Chain"):
        StructuredArgmaxLayer(Chain(), Spigot())
