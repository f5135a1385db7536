"""Each registered loss is put, by its name, through what all promise, with every structure."""

import itertools

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from spigot_allennlp.modules.structured_loss import HingeLoss, LogLikelihoodLoss, StructuredLoss
from spigot_allennlp.structures.categorical import Categorical
from spigot_allennlp.structures.chain import Chain
from spigot_allennlp.structures.predicate_graph import PredicateGraph
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from spigot_allennlp.structures.structure import Structure

LENGTH = 4


def vocabulary():
    return Vocabulary(tokens_to_add={"semantic_roles": ["ARG1", "ARG2"]})


# By registered name: shape of the scores but for the batch, and the options to be tried.
TREE = (LENGTH, LENGTH), [{"single_root": True}, {"single_root": False}]
SETTINGS = {
    "alignment": ((LENGTH, 3), [{}]),
    "categorical": ((LENGTH, 3), [{}]),
    "chain": ((LENGTH, 3, 3), [{}]),
    "matching": ((LENGTH, 3), [{}]),
    "predicate_graph": (
        (LENGTH, LENGTH, 4),
        [{}, {"deterministic_roles": ["ARG1"], "vocab": vocabulary()}],
    ),
    "projective_tree": TREE,
    "non_projective_tree": TREE,
    "semantic_graph": (
        (LENGTH, LENGTH, 4),
        [{}, {"deterministic_roles": ["ARG1"], "vocab": vocabulary()}],
    ),
    "subset": ((LENGTH, 3), [{"k": 2}, {"k": 3}]),
}


def test_every_registered_structure_is_tried():
    assert SETTINGS.keys() == set(Structure.list_available())


def pairs():
    for loss in StructuredLoss.list_available():
        for name, (shape, choices) in SETTINGS.items():
            for options in choices:
                structure = Structure.by_name(name)(**options)
                if all(map(structure.provides, StructuredLoss.by_name(loss).requires)):
                    yield pytest.param(loss, structure, shape, id=f"{loss}-{name}-{len(options)}")


@pytest.mark.parametrize("loss, structure, shape", list(pairs()))
def test_no_loss_is_negative_on_any_object_of_the_family(loss, structure, shape):
    module = StructuredLoss.by_name(loss)()
    token_mask = torch.arange(LENGTH) <= torch.tensor([3, 2, 1, 0]).unsqueeze(1)
    mask = structure.part_mask(token_mask, torch.Size([4, *shape])).expand(4, *shape)

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 2**31), scale=st.sampled_from([0.0, 1e-3, 1.0, 30.0, 1e4]))
    def holds(seed, scale):
        generator = torch.Generator().manual_seed(seed)
        scores, other = torch.randn(2, 4, *shape, generator=generator, dtype=torch.double)
        gold = structure.argmax(other, mask)
        losses = module(structure, (scale * scores).requires_grad_(), mask, gold)
        # rounding, of numbers as large as the scores
        assert (losses >= -1e-10 * max(scale, 1)).all()
        assert losses.isfinite().all()
        assert (module(structure, 1e6 * other, mask, gold) >= -1e-4).all()

    holds()


@pytest.mark.parametrize("loss, structure, shape", list(pairs()))
def test_what_is_not_contained_is_refused_in_training_and_left_out_in_evaluation(
    loss, structure, shape
):
    module = StructuredLoss.by_name(loss)()
    mask = structure.part_mask(
        torch.ones(3, LENGTH, dtype=torch.bool), torch.Size([3, *shape])
    ).expand(3, *shape)
    scores = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))
    gold = structure.argmax(scores.flip(0), mask)
    own = module(structure, scores, mask, gold)
    gold[1] = 1
    with pytest.raises(ConfigurationError, match="1 of 3 gold objects .* number 1 of the batch"):
        module(structure, scores, mask, gold)
    module.eval()
    left_out = module(structure, scores, mask, gold)
    torch.testing.assert_close(left_out, own * torch.tensor([1.0, 0.0, 1.0]))


def one_of(structure, parts, shape):
    gold = torch.zeros(1, *shape)
    for part in parts:
        gold[(0, *part)] = 1
    mask = structure.part_mask(torch.ones(1, shape[0], dtype=torch.bool), gold.shape)
    return torch.zeros_like(gold), mask, gold


CROSSING = [(1, 0), (2, 4), (3, 1), (4, 1)]
TWO_ROOTS = [(1, 0), (2, 1), (3, 0), (4, 3)]
ROLE_TWICE = [(1, 2, 2), (3, 2, 2)]


@pytest.mark.parametrize("loss", ["hinge", "log_likelihood"])
@pytest.mark.parametrize(
    "structure, parts, shape, way_out",
    [
        (ProjectiveTree(), CROSSING, (5, 5), "non_projective_tree.*projective.: false"),
        (ProjectiveTree(), TWO_ROOTS, (5, 5), "single_root.: false.*multiple_roots.: true"),
        (Chain(), [(1, 0, 0), (2, 1, 1)], (3, 2, 2), "Choose a structure"),
    ],
    ids=["crossing arcs", "two roots", "tags that do not agree"],
)
def test_the_error_names_the_sentence_and_the_way_out(loss, structure, parts, shape, way_out):
    metadata = [{"id": "s7", "source": "train.conllu:12", "words": ["a"]}]
    with pytest.raises(ConfigurationError, match=f"s7 at train.conllu:12.*{way_out}"):
        StructuredLoss.by_name(loss)()(structure, *one_of(structure, parts, shape), metadata)


def test_a_role_twice_is_refused_where_it_is_deterministic():
    structure = SemanticGraph(["ARG1"], vocabulary())
    with pytest.raises(ConfigurationError, match="deterministic_roles"):
        StructuredLoss.by_name("hinge")()(structure, *one_of(structure, ROLE_TWICE, (4, 4, 4)))
    tensors = one_of(SemanticGraph(), ROLE_TWICE, (4, 4, 4))
    assert StructuredLoss.by_name("hinge")()(SemanticGraph(), *tensors) >= 0


def test_the_hinge_loss_of_three_scores_by_hand():
    # Gold is 0; a wrong choice costs 0.5 (false positive) + 0.5 (missed gold). The scores with
    # their costs are 1, 2.5 + 1 and -1 + 1, so the worst object has 3.5.
    scores = torch.tensor([[1.0, 2.5, -1.0]])
    gold = torch.tensor([[1.0, 0.0, 0.0]])
    loss = HingeLoss()(Categorical(), scores, torch.ones(1, 3, dtype=torch.bool), gold)
    assert_close(loss, torch.tensor([2.5]))


def test_no_hinge_loss_beyond_the_margin():
    scores = torch.tensor([[3.0, 1.9, 0.0]])
    gold = torch.tensor([[1.0, 0.0, 0.0]])
    loss = HingeLoss()(Categorical(), scores, torch.ones(1, 3, dtype=torch.bool), gold)
    assert_close(loss, torch.zeros(1))


def test_the_hinge_loss_of_graphs_against_all_graphs():
    torch.manual_seed(1)
    structure = SemanticGraph()
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), torch.Size([1, 3, 3, 1]))
    parts = mask.flatten().nonzero().flatten()
    scores = torch.randn(1, 3, 3, 1)
    gold = torch.zeros(9)
    gold[parts[[0, 2]]] = 1
    worst = -float("inf")
    for choice in itertools.product([0.0, 1.0], repeat=len(parts)):
        graph = torch.zeros(9)
        graph[parts] = torch.tensor(choice)
        cost = 0.4 * (graph * (1 - gold)).sum() + 0.6 * ((1 - graph) * gold).sum()
        worst = max(worst, float((scores.flatten() * graph).sum() + cost))
    expected = worst - float((scores.flatten() * gold).sum())
    loss = HingeLoss(0.4, 0.6)(structure, scores, mask, gold.reshape(1, 3, 3, 1))
    assert_close(loss, torch.tensor([expected]))


def test_the_cost_of_labelled_arcs_does_not_depend_on_unlabelled_ones_beside_them():
    """
    The parts of Peng et al. (2018) are unlabelled arcs, with scores of their own and no cost, and
    labelled ones, with costs: against all choices of both that agree.
    """
    torch.manual_seed(2)
    of_arcs, of_labels = torch.randn(6), torch.randn(6, 2)
    gold = torch.tensor([0, -1, 1, -1, -1, 0])  # the label of each arc, -1 for none
    worst = right = -float("inf")
    for labels in itertools.product([-1, 0, 1], repeat=6):
        score = cost = 0.0
        for arc, label in enumerate(labels):
            if label >= 0:
                score += float(of_arcs[arc] + of_labels[arc, label])
                cost += 0.4 * (label != gold[arc])
            cost += 0.6 * (gold[arc] >= 0 and label != gold[arc])
        worst = max(worst, score + float(cost))
        right = score if list(labels) == gold.tolist() else right
    structure = SemanticGraph()
    mask = torch.zeros(1, 4, 4, 3, dtype=torch.bool)
    legal = structure.part_mask(torch.ones(1, 4, dtype=torch.bool), mask.shape)
    arcs = [(d, h) for d in (1, 2, 3) for h in (1, 2, 3) if d != h]
    scores, target = torch.zeros(1, 4, 4, 3), torch.zeros(1, 4, 4, 3)
    for (d, h), arc, label, of_label in zip(arcs, of_arcs, gold, of_labels, strict=True):
        mask[0, d, h] = legal[0, d, h]
        scores[0, d, h, 1:] = arc + of_label
        if label >= 0:
            target[0, d, h, 1 + label] = 1
    loss = HingeLoss(0.4, 0.6)(structure, scores, mask, target)
    assert_close(loss, torch.tensor([worst - right]))


def test_the_hinge_loss_of_predicates_by_hand():
    """
    Tokens 1 and 2, one label. The arc 1 -> 2 is gold, and so is the predicate 1; scores: 0.5 and
    1. A false arc 2 -> 1 scores 0.2, its predicate 2 scores -0.5. With costs the gold arc has
    0.5 - 0.6, which is not chosen, and predicate 1 alone 1; the false arc 0.2 + 0.4, with its
    predicate 0.1: chosen. So the worst has 1 + 0.1 and a cost of 0.6 for what is missed; gold has
    1.5.
    """
    scores = torch.zeros(1, 3, 3, 1)
    scores[0, 2, 1], scores[0, 1, 1], scores[0, 1, 2], scores[0, 2, 2] = 0.5, 1.0, 0.2, -0.5
    scores[0, 0, 0] = scores[0, 1, 0] = scores[0, 2, 0] = -9
    scores.requires_grad_()
    structure = PredicateGraph()
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), scores.shape)
    gold = torch.zeros(1, 3, 3, 1)
    gold[0, 2, 1] = gold[0, 1, 1] = 1
    loss = HingeLoss(0.4, 0.6)(structure, scores, mask, gold)
    assert_close(loss, torch.tensor([1.0 + 0.1 + 0.6 - 1.5]))
    loss.sum().backward()
    expected = torch.zeros(3, 3)
    expected[2, 1], expected[1, 2], expected[2, 2] = -1, 1, 1
    assert scores.grad[0, :, :, 0].equal(expected)


def test_the_gradient_of_the_hinge_loss_is_the_wrong_object_minus_the_gold_one():
    scores = torch.tensor([[1.0, 2.5, -1.0]], requires_grad=True)
    gold = torch.tensor([[1.0, 0.0, 0.0]])
    HingeLoss()(Categorical(), scores, torch.ones(1, 3, dtype=torch.bool), gold).sum().backward()
    assert scores.grad.tolist() == [[-1.0, 1.0, 0.0]]


def test_a_negative_cost_is_refused():
    with pytest.raises(
        ConfigurationError, match="false_negative_cost must be at least 0 but is -1"
    ):
        HingeLoss(false_negative_cost=-1.0)


def test_the_log_likelihood_of_one_choice_is_the_cross_entropy():
    scores = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0]])
    gold = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    loss = LogLikelihoodLoss()(Categorical(), scores, torch.ones(2, 3, dtype=torch.bool), gold)
    expected = torch.nn.functional.cross_entropy(scores, torch.tensor([1, 0]), reduction="none")
    assert_close(loss, expected)


def test_the_log_likelihood_refuses_a_structure_without_log_partition():
    with pytest.raises(ConfigurationError, match="LogLikelihoodLoss needs log_partition.*hinge"):
        LogLikelihoodLoss().check(Structure())
