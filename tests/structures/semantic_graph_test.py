import math

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.structures.semantic_graph import SemanticGraph
from spigot_allennlp.structures.structure import Structure
from tests.structures.structure_contract import StructureContract


class GraphContract(StructureContract):
    num_labels: int

    def token_mask(self):
        return torch.arange(3) <= torch.tensor([2, 1, 0]).unsqueeze(1)

    def shape(self, token_mask):
        return torch.Size([*token_mask.shape, token_mask.size(1), self.num_labels])

    def enumerate(self, structure, legal):
        arcs = [index.tolist() for index in legal.any(dim=-1).nonzero()]
        options = [[None, *legal[d, h].nonzero().flatten().tolist()] for d, h in arcs]
        choices = (
            torch.cartesian_prod(*[torch.arange(len(labels)) for labels in options])
            if arcs
            else torch.zeros(1, 0)
        )
        objects = torch.zeros((len(choices), *legal.shape), dtype=torch.double)
        for graph, choice in zip(objects, choices.reshape(len(choices), -1).tolist(), strict=True):
            for (dependent, head), labels, chosen in zip(arcs, options, choice, strict=True):
                if labels[chosen] is not None:
                    graph[dependent, head, labels[chosen]] = 1
        return objects

    def relaxed_points(self, legal, number):
        weights = torch.empty((number, *legal.shape), dtype=torch.double).exponential_()
        absent = torch.empty((number, *legal.shape[:-1], 1), dtype=torch.double).exponential_()
        weights = weights.masked_fill(~legal, 0)
        return weights / (weights.sum(dim=-1, keepdim=True) + absent)


class TestUnlabelledGraph(GraphContract):
    num_labels = 1

    @pytest.fixture
    def structure(self):
        return SemanticGraph()

    def token_mask(self):
        return torch.arange(4) <= torch.tensor([3, 1, 2, 0]).unsqueeze(1)


class TestLabelledGraph(GraphContract):
    num_labels = 4

    @pytest.fixture
    def structure(self):
        return SemanticGraph()


class TestGraphWithDeterministicRoles(GraphContract):
    num_labels = 3

    @pytest.fixture(params=[["ARG1"], ["ARG1", "ARG2"]], ids=len)
    def structure(self, request):
        return SemanticGraph(request.param, vocabulary("ARG1", "ARG2"))

    def token_mask(self):
        return torch.arange(4) <= torch.tensor([3, 1, 2, 0]).unsqueeze(1)

    def enumerate(self, structure, legal):
        objects = super().enumerate(structure, legal)
        repeated = objects[..., structure._deterministic].sum(dim=1) > 1
        return objects[~repeated.flatten(1).any(dim=1)]

    def test_partition_function_and_samples_are_not_offered(self, structure):
        assert not structure.provides("log_partition") and not structure.provides("sample")
        assert structure.provides("projected_step")

    def test_what_is_not_offered_is_refused_with_the_reason(self, structure, batch):
        for operation in ("log_partition", "marginals", "entropy", "sample"):
            with pytest.raises(NotImplementedError, match="assignments of arguments to roles"):
                getattr(structure, operation)(batch.scores, batch.mask)


def vocabulary(*roles):
    vocab = Vocabulary(non_padded_namespaces=["semantic_roles"])
    for role in ("TOP", *roles):
        vocab.add_token_to_namespace(role, "semantic_roles")
    return vocab


@pytest.mark.parametrize("num_labels, per_arc", [(1, 2), (4, 4)])
def test_at_zero_scores_every_graph_counts_once(num_labels, per_arc):
    structure = SemanticGraph()
    scores = torch.zeros(1, 4, 4, num_labels)
    mask = structure.part_mask(torch.ones(1, 4, dtype=torch.bool), scores.shape)
    # three possible tops; six possible arcs
    expected = 3 * math.log(2) + 6 * math.log(per_arc)
    torch.testing.assert_close(structure.log_partition(scores, mask).item(), expected)


def test_tops_come_from_the_root_and_roles_from_elsewhere():
    mask = SemanticGraph().part_mask(torch.ones(1, 3, dtype=torch.bool), torch.Size([1, 3, 3, 3]))[
        0
    ]
    assert mask[1, 0].tolist() == [True, False, False]
    assert mask[1, 2].tolist() == [False, True, True]
    assert not mask[0].any() and not mask[1, 1].any()


@pytest.mark.parametrize("num_labels", [1, 4])
def test_independent_arcs_say_what_the_best_graph_is(num_labels):
    structure = SemanticGraph()
    tokens = torch.arange(5) <= torch.tensor([4, 2, 0]).unsqueeze(1)
    scores = torch.randn(3, 5, 5, num_labels)
    legal = structure.independent_arcs(tokens, num_labels)
    assert legal is not None
    best = scores.masked_fill(~legal.labels, -torch.inf).max(dim=-1)
    expected = structure.argmax(scores, structure.part_mask(tokens, scores.shape))
    chosen = legal.arcs & (best.values > 0)
    assert chosen.equal(expected.sum(dim=-1) == 1)
    assert best.indices[chosen].equal(expected.argmax(dim=-1)[chosen])


def test_arcs_of_deterministic_roles_are_not_independent():
    structure = SemanticGraph(["ARG1"], vocabulary("ARG1"))
    assert structure.independent_arcs(torch.ones(1, 3, dtype=torch.bool), 2) is None


def test_an_arc_that_scores_zero_is_not_chosen():
    structure = SemanticGraph(["ARG1"], vocabulary("ARG1", "ARG2"))
    scores = torch.zeros(1, 3, 3, 3)
    mask = structure.part_mask(torch.ones(1, 3, dtype=torch.bool), scores.shape)
    assert not structure.argmax(scores, mask).any()


def test_an_unknown_deterministic_role_is_refused_with_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"\['AGR1'\].*'ARG1'"):
        SemanticGraph(["AGR1"], vocabulary("ARG1"))


def counted_vocabulary(*graphs):
    """The vocabulary of sentences of three words with these arcs."""
    reader = SdpReader(count_repeated_roles=True)
    instances = [reader.text_to_instance(list("abc"), arcs=list(arcs)) for arcs in graphs]
    for instance in instances:
        reader.apply_token_indexers(instance)
    return Vocabulary.from_instances(instances)


def test_roles_that_no_predicate_of_the_data_has_twice_are_deterministic():
    # ARG1 twice, but of two predicates; _and_c twice of one; BV and ARG2 once.
    first = [(1, 2, "ARG1"), (3, 2, "ARG1"), (1, 3, "ARG2")]
    second = [(1, 2, "_and_c"), (1, 3, "_and_c"), (2, 3, "BV")]
    vocab = counted_vocabulary(first, second)
    structure = SemanticGraph("from_training_data", vocab)
    names = [vocab.get_token_from_index(i, "semantic_roles") for i in structure._deterministic]
    assert sorted(names) == ["ARG1", "ARG2", "BV"]
    none = SemanticGraph("from_training_data", counted_vocabulary(second[:2]))
    assert none._deterministic == [] and none.provides("log_partition")
    params = Params({"type": "semantic_graph", "deterministic_roles": "from_training_data"})
    everything = Structure.from_params(params, vocab=counted_vocabulary(first))
    assert len(everything._deterministic) == 2


def test_a_vocabulary_comes_back_from_files_with_what_was_counted(tmp_path):
    vocab = counted_vocabulary([(1, 2, "_and_c"), (1, 3, "_and_c"), (2, 3, "BV")])
    vocab.save_to_files(str(tmp_path))
    again = SemanticGraph("from_training_data", Vocabulary.from_files(str(tmp_path)))
    assert again._deterministic == SemanticGraph("from_training_data", vocab)._deterministic
    assert len(again._deterministic) == 1


def test_a_vocabulary_without_counts_is_refused():
    with pytest.raises(ConfigurationError, match="count_repeated_roles: true"):
        SemanticGraph("from_training_data", vocabulary("ARG1"))
    with pytest.raises(ConfigurationError, match='a list of roles or "from_training_data"'):
        SemanticGraph("ARG1", vocabulary("ARG1"))


def test_deterministic_roles_without_a_vocabulary_are_refused():
    with pytest.raises(ConfigurationError, match="vocab"):
        SemanticGraph(["ARG1"])
