import pytest
import torch

from spigot_allennlp.estimators.straight_through import StraightThrough
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.nn.chain.chain import best_sequence
from spigot_allennlp.nn.instances import at_least_single
from spigot_allennlp.structures.projective_tree import ProjectiveTree

LAYER = StructuredArgmaxLayer(ProjectiveTree(), StraightThrough())
TOKENS = torch.ones(4, 5, dtype=torch.bool)


def test_the_layer_names_the_shapes_of_scores_and_mask():
    with pytest.raises(ValueError, match=r"scores of shape \(4, 5, 5\).*mask of shape \(4, 6\)"):
        LAYER(torch.randn(4, 5, 5), torch.ones(4, 6, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"scores of shape \(4, 5, 6\)"):
        LAYER(torch.randn(4, 5, 6), TOKENS)
    with pytest.raises(ValueError, match=r"broadcastable.*\(4, 5, 5\).*found shape \(6,\)"):
        LAYER(torch.randn(4, 5, 5), TOKENS, allowed=torch.ones(6, dtype=torch.bool))


def test_the_layer_refuses_other_types_than_floats_and_truth_values():
    with pytest.raises(TypeError, match="scores is to be floating point"):
        LAYER(torch.ones(4, 5, 5, dtype=torch.long), TOKENS)
    with pytest.raises(TypeError, match="mask is to be bool"):
        LAYER(torch.randn(4, 5, 5), TOKENS.float())


def test_integers_are_no_scores():
    with pytest.raises(TypeError, match="floating point numbers, but found torch.int64"):
        at_least_single(torch.ones(2, dtype=torch.long))


def test_a_chain_without_tags_is_refused():
    with pytest.raises(ValueError, match=r"num_tags > 0.*found scores of shape \(2, 3, 0, 0\)"):
        best_sequence(torch.zeros(2, 3, 0, 0), torch.zeros(2, 3, 0, 0, dtype=torch.bool))
