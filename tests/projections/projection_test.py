import pytest
import torch
from allennlp.common import Params

from spigot_allennlp.projections.projection import IdentityProjection, LocalProjection, Projection
from spigot_allennlp.structures.categorical import Categorical


@pytest.fixture
def mask():
    return torch.tensor([[True, True, True, False]])


VERTEX = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
STEP = torch.tensor([[0.3, -0.1, 0.4, 9.0]])


def test_local_is_the_relaxation_that_the_structure_names(mask):
    moved = LocalProjection().projected_step(Categorical(), VERTEX, STEP, mask)
    # point (.7, .1, -.4), projected onto the simplex: (.8, .2, 0)
    torch.testing.assert_close(moved, torch.tensor([[0.2, -0.2, 0.0, 0.0]]))
    assert LocalProjection().requires == {"projected_step"}


def test_identity_goes_all_the_way_on_legal_parts(mask):
    moved = IdentityProjection().projected_step(Categorical(), VERTEX, STEP, mask)
    assert torch.equal(moved, STEP.masked_fill(~mask, 0))
    assert not IdentityProjection().requires


def test_local_is_the_default_in_a_config():
    assert isinstance(Projection.from_params(Params({})), LocalProjection)
    assert isinstance(Projection.from_params(Params({"type": "identity"})), IdentityProjection)


@pytest.mark.parametrize("name", Projection.list_available())
@pytest.mark.parametrize("size", [1e-8, 1e-12])
def test_every_projection_lets_a_tiny_step_through_in_single_precision(name, size, mask):
    projection = Projection.by_name(name)()
    tiny = projection.projected_step(Categorical(), VERTEX, size * STEP, mask)
    unscaled = projection.projected_step(Categorical(), VERTEX, STEP, mask)
    torch.testing.assert_close(tiny / size, unscaled)
    assert tiny.any()
