import random
from typing import Dict, List

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spigot_allennlp.nn.arborescence import cpu
from spigot_allennlp.nn.arborescence.cpu import best_tree, sample_tree
from tests.nn.dependency_trees import dependency_trees, is_tree
from tests.nn.random_batches import random_batch, whole_sentences

Arcs = Dict[int, Dict[int, float]]  # dependent -> head -> score


def chu_liu_edmonds(arcs: Arcs) -> Dict[int, int]:
    """
    Returns the head of every node in the best tree: the textbook's recursion, one cycle at a time.
    Node 0 is the root; every node must have a head.
    """
    heads = {node: max(options, key=options.__getitem__) for node, options in arcs.items()}
    cycle = find_cycle(heads)
    if not cycle:
        return heads
    new = max(arcs) + 1
    contracted: Arcs = {node: {} for node in arcs if node not in cycle}
    contracted[new] = {}
    entered_at, left_from = {}, {}
    for dependent, options in arcs.items():
        for head, score in options.items():
            if dependent in cycle and head not in cycle:
                gain = score - options[heads[dependent]]
                if gain > contracted[new].get(head, -float("inf")):
                    contracted[new][head], entered_at[head] = gain, dependent
            elif dependent not in cycle and head in cycle:
                if score > contracted[dependent].get(new, -float("inf")):
                    contracted[dependent][new], left_from[dependent] = score, head
            elif dependent not in cycle:
                contracted[dependent][head] = score
    inner_heads = chu_liu_edmonds(contracted)
    entering = inner_heads.pop(new)
    result = {node: left_from[node] if head == new else head for node, head in inner_heads.items()}
    result |= {node: heads[node] for node in cycle}
    result[entered_at[entering]] = entering
    return result


def find_cycle(heads: Dict[int, int]) -> List[int]:
    for start in heads:
        seen, node = [], start
        while node != 0 and node not in seen:
            seen.append(node)
            node = heads[node]
        if node != 0:
            return seen[seen.index(node) :]
    return []


def best_score(scores, single_root):
    """Returns that of one whole sentence; tries every token as the single dependent of the root."""
    length = len(scores)
    arcs = {i: {j: scores[i, j].item() for j in range(length) if j != i} for i in range(1, length)}
    if not single_root:
        return score_of(scores, chu_liu_edmonds(arcs))
    candidates = []
    for top in range(1, length):
        below = {i: {j: s for j, s in o.items() if j > 0} for i, o in arcs.items()}
        below[top] = {0: arcs[top][0]}
        candidates.append(score_of(scores, chu_liu_edmonds(below)))
    return max(candidates)


def score_of(scores, heads):
    return sum(scores[dependent, head].item() for dependent, head in heads.items())


@pytest.fixture(params=[True, False], ids=["single_root", "multi_root"])
def single_root(request):
    return request.param


def check(scores, tree, single_root):
    heads = tuple(tree[1:].argmax(dim=-1).tolist())
    assert is_tree(heads) and tree[1:].sum(dim=-1).eq(1).all() and not tree[0].any()
    assert not single_root or heads.count(0) == 1
    expected = best_score(scores, single_root)
    assert (tree * scores).sum().item() == pytest.approx(expected, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("num_tokens", [2, 3, 6, 12, 20])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_the_best_tree_is_that_of_the_textbook(num_tokens, scale, single_root):
    torch.manual_seed(num_tokens)
    scores = scale * torch.randn(4, num_tokens + 1, num_tokens + 1, dtype=torch.double)
    trees = best_tree(scores, whole_sentences(4, num_tokens), single_root)
    for sentence_scores, tree in zip(scores, trees, strict=True):
        check(sentence_scores, tree, single_root)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), num_tokens=st.integers(1, 10), single_root=st.booleans())
def test_among_equal_trees_it_finds_one_of_the_best(seed, num_tokens, single_root):
    generator = torch.Generator().manual_seed(seed)
    shape = (1, num_tokens + 1, num_tokens + 1)
    scores = torch.randint(0, 3, shape, generator=generator).double()
    tree = best_tree(scores, whole_sentences(1, num_tokens), single_root)
    check(scores[0], tree[0], single_root)


def test_cycles_within_cycles_are_contracted(single_root):
    # (1 2) would rather head each other, so would (3 4), and the two pairs each other
    scores = torch.zeros(1, 6, 6, dtype=torch.double)
    for dependent, head, score in [(1, 2, 9), (2, 1, 9), (3, 4, 9), (4, 3, 9), (1, 3, 5)]:
        scores[0, dependent, head] = score
    scores[0, 3, 1], scores[0, 5, 4], scores[0, 2, 0] = 5, 1, 2
    tree = best_tree(scores, whole_sentences(1, 5), single_root)
    assert tree[0, 1:].argmax(dim=-1).tolist() == [2, 0, 1, 3, 4]


def test_a_root_that_repels_all_tokens_takes_one(single_root):
    torch.manual_seed(2)
    scores = torch.randn(3, 9, 9, dtype=torch.double)
    scores[:, :, 0] -= 1e6
    trees = best_tree(scores, whole_sentences(3, 8), single_root)
    assert trees[:, :, 0].sum(dim=1).tolist() == [1, 1, 1]


def test_a_root_that_attracts_all_tokens_takes_one_if_it_must():
    torch.manual_seed(3)
    scores = torch.randn(3, 9, 9)
    scores[:, :, 0] += 1e6
    trees = best_tree(scores, whole_sentences(3, 8), True)
    for sentence_scores, tree in zip(scores, trees, strict=True):
        assert tree[:, 0].sum() == 1
        # large scores of the root cost those of the others no digits
        below = sentence_scores.double().clone()
        below[:, 0] -= 1e6
        check(below, tree.double(), True)
    assert best_tree(scores, whole_sentences(3, 8), False)[:, 1:, 0].all()


def test_scores_near_the_limit_of_single_precision(single_root):
    scores = torch.full((1, 4, 4), -3e38)
    scores[0, 1, 0] = scores[0, 2, 1] = scores[0, 3, 2] = 3e38
    tree = best_tree(scores, whole_sentences(1, 3), single_root)
    assert tree[0, 1:].argmax(dim=-1).tolist() == [0, 1, 2]


def test_a_sentence_alone_gives_what_it_gives_among_longer_ones(single_root):
    scores, mask, _ = random_batch(9, 40, 15)
    together = best_tree(scores, mask, single_root)
    for index in range(40):
        alone = best_tree(scores[index : index + 1], mask[index : index + 1], single_root)
        assert torch.equal(alone[0], together[index])


# --- samples


@pytest.fixture(params=[1, 0], ids=["by_walks", "token_by_token"])
def walk_limit(request, monkeypatch):
    """A walk with a limit of 0 is given up at once, and the tree is sampled token by token."""
    monkeypatch.setattr(cpu, "WALK_LIMIT", request.param)
    return request.param


def check_frequencies(scores, single_root, number=20_000):
    """Checks that each tree is sampled as often as its probability says, within 5 sigma."""
    num_tokens = len(scores) - 1
    trees = dependency_trees(num_tokens, False, single_root)
    expected = (trees * scores).flatten(1).sum(1).softmax(0)
    mask = whole_sentences(number, num_tokens)
    sampled = sample_tree(scores.expand(mask.shape), mask, single_root)
    same = torch.einsum("dij,tij->dt", sampled, trees) == num_tokens
    assert same.sum(dim=1).eq(1).all() and sampled.flatten(1).sum(1).eq(num_tokens).all()
    frequency = same.double().mean(dim=0)
    sigma = (expected * (1 - expected) / number).sqrt()
    assert ((frequency - expected).abs() <= 5 * sigma + 1e-9).all()


@pytest.mark.parametrize("num_tokens", [1, 2, 3, 4])
def test_each_tree_is_as_frequent_as_it_is_probable(num_tokens, single_root, walk_limit):
    torch.manual_seed(num_tokens)
    scores = torch.randn(num_tokens + 1, num_tokens + 1, dtype=torch.double)
    check_frequencies(scores, single_root)


def test_frequencies_are_right_if_walks_through_cycles_have_no_end(single_root, walk_limit):
    torch.manual_seed(0)
    scores = torch.randn(5, 5, dtype=torch.double)
    for dependent, head in [(1, 2), (2, 1), (3, 4), (4, 3)]:
        scores[dependent, head] += 50
    check_frequencies(scores, single_root, 2000)


def test_frequencies_are_right_if_some_walks_are_given_up_and_some_are_not(single_root):
    torch.manual_seed(0)
    scores = torch.randn(4, 4, dtype=torch.double)
    scores[1, 2] += 3
    scores[2, 1] += 3
    check_frequencies(scores, single_root)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_samples_of_long_sentences_are_trees(scale, single_root, walk_limit):
    torch.manual_seed(1)
    scores = scale * torch.randn(3, 21, 21)
    for tree in sample_tree(scores, whole_sentences(3, 20), single_root):
        heads = tuple(tree[1:].argmax(dim=-1).tolist())
        assert is_tree(heads) and tree[1:].sum(dim=1).eq(1).all() and not tree[0].any()
        assert not single_root or heads.count(0) == 1


@pytest.mark.parametrize("kept", [0.6, 0.3])
def test_a_tree_is_sampled_where_one_is_possible(kept, single_root, walk_limit):
    scores, mask, _ = random_batch(2, 60, 7, kept=kept)
    sampled = sample_tree(scores, mask, single_root)
    best = best_tree(scores, mask, single_root)
    assert not (sampled.bool() & ~mask).any()
    assert torch.equal(sampled.any(-1), best.any(-1))
    assert torch.equal(sampled.sum((1, 2)), best.sum((1, 2)))


def test_the_best_tree_is_sampled_where_the_others_are_all_but_impossible(single_root, walk_limit):
    torch.manual_seed(3)
    scores, mask = 1e4 * torch.randn(4, 13, 13), whole_sentences(4, 12)
    best = best_tree(scores, mask, single_root)
    assert torch.equal(sample_tree(scores, mask, single_root), best)


def test_randomness_comes_from_torch_alone(single_root, walk_limit):
    scores, mask, _ = random_batch(4, 30, 9)
    torch.manual_seed(7)
    first = sample_tree(scores, mask, single_root)
    random.seed(0)
    numpy.random.seed(0)
    second = sample_tree(scores, mask, single_root)
    torch.manual_seed(7)
    assert torch.equal(sample_tree(scores, mask, single_root), first)
    assert not torch.equal(second, first)
