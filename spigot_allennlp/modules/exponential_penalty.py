"""A penalty on weights that grows exponentially with their mean square."""

import math

import torch
from allennlp.nn.regularizers import Regularizer
from torch import Tensor


@Regularizer.register("exponential")
class ExponentialPenalty(Regularizer):
    """
    Its gradient for weight `w_ij` of neuron i is
    `strength * rate * w_ij / limit * exp(rate * (mean_j (w_ij / limit) ** 2 - 1))`, that of the
    code of [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866). Zero where all weights are.

    Registered as a `Regularizer` with name "exponential".

    # Parameters

    strength : `float`, optional (default = `10.0`)
    rate : `float`, optional (default = `0.04`)
        0.04 for MNIST, 0.01 for N-MNIST.
    limit : `float`, optional (default = `8.0`)
    """

    def __init__(self, strength: float = 10.0, rate: float = 0.04, limit: float = 8.0) -> None:
        self._strength = strength
        self._rate = rate
        self._limit = limit

    def __call__(self, parameter: Tensor) -> Tensor:
        """A scalar, given weights of shape `(num_inputs, num_neurons)`."""
        mean = (parameter / self._limit).square().mean(dim=0)
        excess = torch.expm1(self._rate * mean) * math.exp(-self._rate)
        return self._strength * self._limit * len(parameter) / 2 * excess.sum()
