import itertools

import torch

from spigot_allennlp.nn.assignment import keep_best_argument


def best_without_rule(scores):
    best = scores.max(dim=-1, keepdim=True)
    return torch.zeros_like(scores).scatter_(-1, best.indices, (best.values > 0).to(scores))


def best_by_enumeration(scores, labels):
    """
    The best choice of one label or none for each dependent, no label of `labels` twice;
    `(dependent, label)`.
    """
    num_dependents, num_labels = scores.shape
    best, best_score = None, -torch.inf
    for choice in itertools.product([None, *range(num_labels)], repeat=num_dependents):
        chosen = [label for label in choice if label in labels]
        score = sum(scores[d, label].item() for d, label in enumerate(choice) if label is not None)
        if len(chosen) == len(set(chosen)) and score > best_score:
            best, best_score = choice, score
    result = torch.zeros_like(scores)
    for dependent, label in enumerate(best):
        if label is not None:
            result[dependent, label] = 1
    return result


def test_every_head_gets_its_best_assignment():
    torch.manual_seed(2)
    scores, labels = torch.randn(3, 4, 4, 3) + 0.5, [1, 2]
    graph = keep_best_argument(best_without_rule(scores), scores, labels)
    for batch, head in itertools.product(range(3), range(4)):
        expected = best_by_enumeration(scores[batch, :, head], labels)
        assert torch.equal(graph[batch, :, head], expected)


def test_illegal_parts_are_never_assigned():
    torch.manual_seed(3)
    scores = torch.randn(2, 4, 4, 3) + 1
    scores[torch.rand_like(scores) > 0.5] = -torch.inf
    graph = keep_best_argument(best_without_rule(scores), scores, [0, 1, 2])
    assert not graph[scores == -torch.inf].any()
    assert (graph.sum(dim=1) <= 1).all()


def test_heads_that_break_no_rule_are_kept():
    scores = torch.tensor([[[[0.5, 2.0]], [[3.0, 1.0]]]])
    chosen = best_without_rule(scores)
    assert torch.equal(keep_best_argument(chosen, scores, [0, 1]), chosen)


def test_a_role_that_is_not_deterministic_may_repeat():
    scores = torch.tensor([[[[0.5, 2.0]], [[0.3, 1.0]]]])
    chosen = best_without_rule(scores)
    assert torch.equal(keep_best_argument(chosen, scores, [0]), chosen)
    # with the rule on label 1 as well, the second dependent takes its second best
    assert keep_best_argument(chosen, scores, [1])[0, :, 0].tolist() == [[0, 1], [1, 0]]


def test_an_argument_that_would_score_nothing_is_left_out():
    scores = torch.tensor([[[[0.0, 2.0]], [[-1.0, 1.0]], [[0.0, 0.5]]]])
    graph = keep_best_argument(best_without_rule(scores), scores, [0, 1])
    assert graph[0, :, 0].tolist() == [[0, 1], [0, 0], [0, 0]]


def test_the_arguments_of_the_call_are_left_alone():
    torch.manual_seed(4)
    scores = torch.rand(1, 3, 3, 2)
    chosen = best_without_rule(scores)
    before = chosen.clone()
    keep_best_argument(chosen, scores, [0, 1])
    assert torch.equal(chosen, before)
