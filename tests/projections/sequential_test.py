import re

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from torch.testing import assert_close

from spigot_allennlp.estimators.gradient_estimator import GradientEstimator
from spigot_allennlp.estimators.spigot import Spigot
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.projections.projection import LocalProjection, Projection
from spigot_allennlp.projections.sequential import SequentialProjection
from spigot_allennlp.structures.chain import Chain
from spigot_allennlp.structures.projective_tree import ProjectiveTree
from spigot_allennlp.structures.semantic_graph import SemanticGraph


def project_sdp(arc, arc_step, labels, label_steps):
    """
    The authors' `ProjectSDP` of one arc, in plain numbers: the arc is clipped, its labels are
    projected onto the box cut with what sums to the arc, by bisection.
    """
    arc = min(max(arc - arc_step, 0.0), 1.0)
    if arc <= 0:
        return 0.0, [0.0] * len(labels)
    points = [label - step for label, step in zip(labels, label_steps, strict=True)]

    def at(tau):
        return [min(max(point - tau, 0.0), 1.0) for point in points]

    lower, upper = min(points) - 1.0, max(points)
    for _ in range(200):
        middle = (lower + upper) / 2
        lower, upper = (middle, upper) if sum(at(middle)) > arc else (lower, middle)
    return arc, at(upper)


def moved_labels(origin, step, projection=None):
    """What is left of the labels of one arc, after a step."""
    structure = SemanticGraph()
    shape = (1, 1, 1, len(origin))
    origin, step = [torch.tensor(row, dtype=torch.double).reshape(shape) for row in (origin, step)]
    mask = torch.ones(shape, dtype=torch.bool)
    projection = projection or SequentialProjection()
    return (origin - projection.projected_step(structure, origin, step, mask)).flatten()


def test_a_chosen_arc_by_hand():
    """
    The arc has label 0, and loses its step, 0.3. The point (0.7, 0.1, -0.4) is to sum to 0.7: both
    positive labels lose 0.05. At once, nothing is lost but what is below zero.
    """
    left = moved_labels([1.0, 0.0, 0.0], [0.3, -0.1, 0.4])
    assert_close(left, torch.tensor([0.65, 0.05, 0.0]).double())
    at_once = moved_labels([1.0, 0.0, 0.0], [0.3, -0.1, 0.4], LocalProjection())
    assert_close(at_once, torch.tensor([0.7, 0.1, 0.0]).double())


def test_an_arc_that_is_not_there_by_hand():
    """
    Label 1 would come in first, at 0.6: of the point (0.2, 0.6, -0.3) the first two, which sum to
    0.8, lose 0.1 each.
    """
    left = moved_labels([0.0, 0.0, 0.0], [-0.2, -0.6, 0.3])
    assert_close(left, torch.tensor([0.1, 0.5, 0.0]).double())
    nothing = moved_labels([0.0, 0.0, 0.0], [0.2, 0.6, 0.3])
    assert not nothing.any()


def test_an_arc_that_goes_takes_its_labels_with_it():
    # Clipped to 0 by its own label; at once, another label would stand in.
    left = moved_labels([1.0, 0.0], [1.5, -0.4])
    assert left.tolist() == [0.0, 0.0]
    assert_close(
        moved_labels([1.0, 0.0], [1.5, -0.4], LocalProjection()), torch.tensor([0.0, 0.4]).double()
    )


@pytest.mark.parametrize("size", [0.1, 1.0, 5.0])
def test_against_the_procedure_of_the_authors(size):
    torch.manual_seed(3)
    for _ in range(50):
        steps = size * torch.randn(4).double()
        for label in (None, *range(4)):
            origin = [float(label == other) for other in range(4)]
            of_arc = steps.min() if label is None else steps[label]
            arc, labels = project_sdp(sum(origin), float(of_arc), origin, steps.tolist())
            left = moved_labels(origin, steps.tolist())
            assert_close(left, torch.tensor(labels).double())
            assert_close(left.sum().item(), arc)


def test_a_number_added_to_all_steps_but_that_of_the_arc_changes_nothing():
    """So the gradient of an arc, which ours has in each of its labels, does no harm to these."""
    labels = project_sdp(1.0, 0.3, [1.0, 0.0, 0.0], [0.3, -0.1, 0.4])
    shifted = project_sdp(1.0, 0.3, [1.0, 0.0, 0.0], [2.3, 1.9, 2.4])
    assert shifted[1] == pytest.approx(labels[1])


def test_without_labels_it_is_the_local_projection():
    structure = SemanticGraph()
    step = torch.randn(2, 4, 4, 1)
    mask = structure.part_mask(torch.ones(2, 4, dtype=torch.bool), step.shape)
    origin = structure.argmax(torch.randn(step.shape), mask)
    moved = SequentialProjection().projected_step(structure, origin, step, mask)
    assert_close(moved, LocalProjection().projected_step(structure, origin, step, mask))


def test_an_impossible_label_does_not_come_in():
    structure, step = SemanticGraph(), torch.tensor([[-0.4, torch.inf, -0.9]]).reshape(1, 1, 1, 3)
    mask = torch.tensor([True, True, False]).reshape(1, 1, 1, 3)
    moved = SequentialProjection().projected_step(structure, torch.zeros(1, 1, 1, 3), step, mask)
    assert_close(moved.flatten(), torch.tensor([-0.4, 0.0, 0.0]))


def test_spigot_with_it_is_refused_for_trees():
    config = {"type": "spigot", "projection": "sequential"}
    estimator = GradientEstimator.from_params(Params(dict(config)))
    StructuredArgmaxLayer(SemanticGraph(), estimator)
    with pytest.raises(ConfigurationError, match="sequential.*label.*ProjectiveTree"):
        StructuredArgmaxLayer(ProjectiveTree(), estimator)
    assert isinstance(Projection.from_params(Params({"type": "sequential"})), SequentialProjection)


@pytest.mark.parametrize("structure", [ProjectiveTree(), Chain()])
def test_the_projection_that_is_proposed_instead_is_not_refused(structure):
    with pytest.raises(ConfigurationError) as refusal:
        StructuredArgmaxLayer(structure, Spigot(projection=SequentialProjection()))
    (proposal,) = re.findall(r"Set projection: '(\w+)'", str(refusal.value))
    projection = Projection.from_params(Params({"type": proposal}))
    StructuredArgmaxLayer(structure, Spigot(projection=projection))
