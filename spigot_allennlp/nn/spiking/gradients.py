"""
The backward pass of HM2-BP through one layer (Jin, Zhang & Li, 2018, section 3.3).

The firing count of neuron i is about `a_i / threshold`, where `a_i` is the sum over its inputs j of
weight times S-PSP, and an S-PSP `e` is about proportional to the counts `o` at both ends. So

    do_i / dw_ij = e_ij / threshold * (1 + sum_l w_il * e_il / o_i / threshold)
    do_i / do_j  = w_ij * e_ij / o_j / threshold

the second factor above being the correction for the neuron's own rate. Where a count is zero,
`e_ij / o_j` is one; what else counts there, `Options` says. S-PSPs are explained in
`effects.py`.
"""

from typing import Optional, Tuple

import torch
from torch import Tensor

from spigot_allennlp.nn.devices import has_kernels
from spigot_allennlp.nn.spiking.connection import as_matrix
from spigot_allennlp.nn.spiking.effects import effects_by_steps
from spigot_allennlp.nn.spiking.gradient_problem import SpikeGradientProblem
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_PROBLEM = Signature(
    Argument("spikes", TRUTH_VALUES, ("batch_size", "steps", "num_inputs")),
    Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons")),
    Argument("weight", FLOATS, ("num_rows", "width")),
    Argument("delta", FLOATS, ("batch_size", "num_neurons")),
    Argument("factor", FLOATS, ("batch_size", "num_neurons")),
)


def gradients(problem: SpikeGradientProblem) -> Tuple[Tensor, Optional[Tensor]]:
    """
    The gradient of the weights, summed over the batch, and that of the inputs' counts, shape
    `(batch_size, num_inputs)`, if it is asked for; both in the type of the weights.
    """
    connection = problem.connection
    _PROBLEM.check(*problem[:5], num_neurons=connection.num_neurons, **connection.sizes)
    if has_kernels(problem.spikes.device):
        from spigot_allennlp.nn.spiking import processor  # numba takes its time to be imported

        return processor.gradients(problem)
    return gradients_by_steps(problem)


def gradients_by_steps(problem: SpikeGradientProblem) -> Tuple[Tensor, Optional[Tensor]]:
    """
    As `gradients`, in vectorised torch: through the weights' matrix, so that autograd finds which
    weights are shared.
    """
    connection = problem.connection
    _PROBLEM.check(*problem[:5], num_neurons=connection.num_neurons, **connection.sizes)
    spikes, fired, weight, delta, factor, connection, neurons, options, for_counts = problem
    effects = effects_by_steps(fired, neurons, weight.dtype)
    leaf = weight.detach().requires_grad_()
    with torch.enable_grad():
        matrix = as_matrix(connection, leaf)
    known = matrix.detach()
    trains, counts = spikes.to(weight.dtype), fired.sum(1).to(weight.dtype)
    silent, active = counts == 0, spikes.any(1).to(weight.dtype)
    total = (trains @ known * effects).sum(1) / counts.clamp(min=1)
    total = torch.where(silent, options.silent_ratio * known.sum(0), total)
    scale = delta * factor * (1 + options.own_rate * total / neurons.threshold)
    # (batch_size, steps, num_neurons), (num_inputs, num_neurons)
    scaled = effects * scale.masked_fill(silent, 0).unsqueeze(1)
    gradient = trains.flatten(0, 1).t() @ scaled.flatten(0, 1)
    gradient = gradient + options.silent_potential * active.t() @ scale.masked_fill(~silent, 0)
    (for_weight,) = torch.autograd.grad(matrix, leaf, gradient)
    if not for_counts:
        return for_weight, None
    mean = effects * delta.masked_fill(silent, 0).unsqueeze(1) @ known.t() * trains
    mean = mean.sum(1) / spikes.sum(1).clamp(min=1)
    ones = torch.where(active > 0, delta.masked_fill(~silent, 0) @ known.t(), delta @ known.t())
    return for_weight, mean + ones
