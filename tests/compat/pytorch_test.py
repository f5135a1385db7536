"""What PyTorch has changed since AllenNLP 2.10.1."""

import os
import pickle

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.nn.parallel import ddp_accelerator
from allennlp.training import gradient_descent_trainer, util
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from torch.nn import Embedding, Parameter

KINDS = ["bool", "int64", "uint8", "float32", "float64", "complex64"]


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_scalars_and_dtypes_come_back_from_a_checkpoint(kind, tmp_path):
    state = {"scalar": numpy.dtype(kind).type(1), "dtype": numpy.dtype(kind)}
    torch.save(state, tmp_path / "state.th")
    loaded = torch.load(tmp_path / "state.th")
    assert loaded == state and type(loaded["scalar"]) is type(state["scalar"])


def test_scalars_that_numpy_1_wrote_come_back(tmp_path):
    torch.save(numpy.float64(0.5), tmp_path / "state.th", pickle_protocol=2)
    content = (tmp_path / "state.th").read_bytes()
    assert b"numpy._core.multiarray" in content
    names = torch.serialization.get_safe_globals()
    assert "numpy.core.multiarray.scalar" in [name[1] for name in names if isinstance(name, tuple)]


def test_code_in_a_checkpoint_is_still_refused(tmp_path):
    class RunsCode:
        def __reduce__(self):
            return os.getcwd, ()

    torch.save(RunsCode(), tmp_path / "state.th")
    with pytest.raises(pickle.UnpicklingError, match="[Ww]eights"):
        torch.load(tmp_path / "state.th")


def test_the_plateau_scheduler_is_built_from_a_config_and_steps():
    parameter = Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    params = Params({"type": "reduce_on_plateau", "factor": 0.1, "patience": 0, "verbose": True})
    scheduler = LearningRateScheduler.from_params(params, optimizer=optimizer)
    scheduler.step(1.0)
    scheduler.step(2.0)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize("module", [gradient_descent_trainer, util, ddp_accelerator])
@pytest.mark.parametrize("max_norm", [0.5, 1000.0])
def test_sparse_gradients_are_clipped_like_dense_ones(module, max_norm):
    norms, gradients = [], []
    for sparse in (True, False):
        torch.manual_seed(0)
        embedding, bias = Embedding(9, 3, sparse=sparse), Parameter(torch.randn(3))
        (embedding(torch.tensor([1, 1, 1, 4])) * bias).pow(2).sum().backward()
        parameters = [*embedding.parameters(), bias]
        norms.append(module.clip_grad_norm_(parameters, max_norm))
        gradients.append([parameter.grad.to_dense() for parameter in parameters])
    torch.testing.assert_close(norms[0], norms[1])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_one_parameter_is_clipped_without_a_list():
    parameter = Parameter(torch.ones(4))
    parameter.grad = torch.full((4,), 2.0)
    assert gradient_descent_trainer.clip_grad_norm_(parameter, 1.0) == pytest.approx(4.0)
    assert parameter.grad.norm().item() == pytest.approx(1.0, rel=1e-5)


class Encoder(torch.nn.Module):
    """An encoder with a part that it does not use, as the embedder of a transformer has."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer_model = torch.nn.Module()
        self.transformer_model.dense = torch.nn.Linear(2, 2)
        self.transformer_model.pooler = torch.nn.Linear(2, 2)

    def forward(self, vectors):
        return self.transformer_model.dense(vectors)


def test_distributed_training_goes_on_where_the_pooler_of_a_transformer_is_not_used(tmp_path):
    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        accelerator = ddp_accelerator.TorchDdpAccelerator(cuda_device=torch.device("cpu"))
        encoder, wrapped = accelerator.wrap_model(torch.nn.Sequential(Encoder()))
        for _ in range(2):
            wrapped.model(torch.ones(1, 2)).sum().backward()
    finally:
        torch.distributed.destroy_process_group()
    assert encoder[0].transformer_model.dense.weight.grad is not None
