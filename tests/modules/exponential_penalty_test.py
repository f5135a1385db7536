import torch
from allennlp.common import Params
from allennlp.nn.regularizers import Regularizer
from torch.testing import assert_close


def test_the_gradient_is_that_of_the_released_code():
    options = {"type": "exponential", "strength": 10.0, "rate": 0.04, "limit": 8.0}
    penalty = Regularizer.from_params(Params(options))
    weight = torch.randn(5, 3, dtype=torch.double).requires_grad_()
    penalty(weight).backward()
    for i in range(3):
        mean = sum((weight[j, i].item() / 8) ** 2 for j in range(5)) / 5
        for j in range(5):
            scale = torch.tensor(0.04 * (mean - 1), dtype=torch.double).exp()
            assert_close(weight.grad[j, i], 10 * 0.04 * weight[j, i].detach() / 8 * scale)


def test_no_weights_no_penalty():
    assert Regularizer.by_name("exponential")()(torch.zeros(4, 2)) == 0
