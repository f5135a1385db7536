import torch

from spigot_allennlp.nn.clipping import clip_norm


def test_each_instance_is_scaled_by_its_own_norm():
    tensor = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    clipped = clip_norm(tensor, 1.0)
    torch.testing.assert_close(clipped, torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]]))


def test_the_norm_runs_over_all_parts_of_an_instance():
    torch.manual_seed(0)
    clipped = clip_norm(torch.randn(5, 3, 3, 2, dtype=torch.double) * 10, 0.5)
    torch.testing.assert_close(clipped.flatten(1).norm(dim=1), torch.full((5,), 0.5).double())


def test_what_is_shorter_is_unchanged_bit_by_bit():
    tensor = torch.full((2, 3), 1e-12)
    assert torch.equal(clip_norm(tensor, 5 / 32), tensor)
