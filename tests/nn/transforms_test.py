import runpy

import pytest
import torch

from spigot_allennlp.nn import transforms
from spigot_allennlp.nn.transforms import is_mapped_over, is_transformed


def test_it_tells_which_transform_has_wrapped_a_tensor():
    seen = []

    def look(tensor):
        seen.append((is_mapped_over(tensor), is_transformed(tensor)))
        return tensor.sum()

    tensor = torch.ones(3)
    look(tensor)
    torch.func.vmap(look)(tensor)
    torch.func.grad(look)(tensor)
    assert seen == [(False, False), (True, True), (False, True)]


@pytest.mark.parametrize("name", ["is_batchedtensor", "is_functorch_wrapped_tensor"])
def test_a_version_of_torch_without_the_private_functions_can_be_imported(name, monkeypatch):
    monkeypatch.delattr(torch._C._functorch, name)
    names = runpy.run_path(transforms.__file__)
    tensor = torch.ones(3)
    assert names["is_mapped_over"](tensor) is names["is_transformed"](tensor) is False
