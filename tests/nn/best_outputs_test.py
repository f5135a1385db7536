import pytest
import torch
from torch.testing import assert_close

from spigot_allennlp.nn import best_outputs


@pytest.mark.parametrize("has_kernels", [True, False])
def test_the_best_sum_over_outputs_is_returned(monkeypatch, has_kernels):
    monkeypatch.setattr(best_outputs, "has_kernels", lambda device: has_kernels)
    torch.manual_seed(1)
    block, alone = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4)
    block[0, 1, 2, 3] = torch.nan
    block[1, 0, 0, 0] = torch.inf
    scores, outputs = best_outputs.best_of_block(block, alone)
    expected = (block + alone.unsqueeze(-1)).max(dim=2)
    is_sound = torch.ones_like(scores, dtype=torch.bool)
    is_sound[0, 1, 3] = is_sound[1, 0, 0] = False
    assert scores.isnan().equal(~is_sound)
    assert_close(scores[is_sound], expected.values[is_sound])
    assert outputs[is_sound].equal(expected.indices[is_sound])
