"""
Backpropagation through time in a spiking layer, with a surrogate for the derivative of a spike
([Neftci, Mostafa & Zenke, 2019](https://arxiv.org/abs/1901.09948)).

In every step, the derivative with respect to the potential is taken to be
`1 / (1 + slope * |potential - threshold|) ** 2`, as in SuperSpike ([Zenke & Ganguli,
2018](https://arxiv.org/abs/1705.11146)). No gradient flows through the reset. The rest is linear in
the arriving spikes: the gradient goes back through the decay of potentials and currents, from the
last step to the first.
"""

from typing import Any, Optional, Tuple

import torch
from torch import BoolTensor, Tensor

from spigot_allennlp.nn.devices import has_kernels, without_autocast
from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.connection import Connection, as_matrix
from spigot_allennlp.nn.spiking.gradient_problem import SurrogateProblem
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature
from spigot_allennlp.nn.transforms import is_transformed, uncompiled

_INPUT = Signature(
    Argument("spikes", FLOATS | TRUTH_VALUES, ("batch_size", "steps", "num_inputs")),
    Argument("weight", FLOATS, ("num_rows", "width")),
)


@uncompiled
def simulate_differentiably(
    spikes: Tensor, weight: Tensor, connection: Connection, neurons: Neurons, slope: float
) -> Tensor:
    """
    Like `simulate`, but with floats and a gradient.

    # Parameters

    spikes : `Tensor`
        Shape `(batch_size, steps, num_inputs)`: truth values, or zeros and ones, which may have a
        gradient. (Other numbers scale the weights.)
    weight : `Tensor`
        Shape `(num_rows, width)` of the `connection`.
    connection : `Connection`
    neurons : `Neurons`
    slope : `float`
        In units of one over the potential.

    # Returns

    `Tensor`
        Zeros and ones, shape `(batch_size, steps, num_neurons)`, in the type of `weight`.
    """
    _INPUT.check(spikes, weight, **connection.sizes)
    if has_kernels(spikes.device) and not (is_transformed(spikes) or is_transformed(weight)):
        values = spikes.detach()
        arrived = values if values.dtype == torch.bool else values > 0
        if arrived is values or torch.equal(arrived.to(values.dtype), values):
            return _Spikes.apply(spikes, weight, arrived, connection, neurons, slope)
    with without_autocast(spikes.device):
        return _unroll(spikes, weight, connection, neurons, slope)


class _Spikes(torch.autograd.Function):
    """
    Like `_unroll`, for inputs that are zero or one, with kernels. For the gradient, it keeps
    potentials, not a graph over all steps.
    """

    @staticmethod
    def forward(
        ctx: Any,
        spikes: Tensor,
        weight: Tensor,
        arrived: BoolTensor,
        connection: Connection,
        neurons: Neurons,
        slope: float,
    ) -> Tensor:
        from spigot_allennlp.nn.spiking import cpu  # numba is slow to import

        fired, potentials = cpu.simulate_with_potentials(arrived, weight, connection, neurons)
        ctx.layer = connection, neurons, slope
        ctx.save_for_backward(spikes, weight, arrived, fired, potentials)
        return fired.to(weight.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tuple[Optional[Tensor], ...]:
        from spigot_allennlp.nn.spiking import cpu

        spikes, weight, arrived, fired, potentials = ctx.saved_tensors
        connection, neurons, slope = ctx.layer
        for_spikes, for_weight = ctx.needs_input_grad[:2]
        with without_autocast(spikes.device):
            if torch.is_grad_enabled():  # the gradient itself is to be differentiated
                output = _unroll(spikes, weight, connection, neurons, slope)
                inputs = [spikes] * for_spikes + [weight] * for_weight
                found = list(torch.autograd.grad(output, inputs, gradient, create_graph=True))
                weight_gradient = found.pop() if for_weight else None
                spike_gradient = found.pop() if for_spikes else None
            else:
                problem = SurrogateProblem(
                    arrived, fired, potentials, weight, gradient, connection, neurons, slope
                )
                weight_gradient, arriving = cpu.surrogate_gradients(problem, for_spikes)
                spike_gradient = None
                if for_spikes:
                    matrix = as_matrix(connection, weight.detach())
                    spike_gradient = (arriving.to(weight.dtype) @ matrix.t()).to(spikes.dtype)
        return spike_gradient, weight_gradient, None, None, None, None


def _unroll(
    spikes: Tensor, weight: Tensor, connection: Connection, neurons: Neurons, slope: float
) -> Tensor:
    # (batch_size, steps, num_neurons)
    arriving = spikes.to(weight.dtype) @ as_matrix(connection, weight)
    if arriving.size(1) < 2:  # nothing spikes in the first step
        return arriving * 0  # in the graph, so that there is a gradient, of zero
    state = torch_fallback.resting(arriving[:, 0])
    fired = torch.zeros_like(arriving[:, 0])
    trains = [fired]
    for step in range(1, arriving.size(1)):
        state = torch_fallback.integrate(state, arriving[:, step - 1], fired, neurons)
        fired = _surrogate_spike(state.potential - neurons.firing_threshold, slope)
        trains.append(fired)
        state = torch_fallback.reset(state, fired.detach() > 0, neurons)
    return torch.stack(trains, dim=1)


def _surrogate_spike(excess: Tensor, slope: float) -> Tensor:
    """Returns one where `excess` is positive, otherwise zero, with the gradient of a soft sign."""
    soft = excess / (1 + slope * excess.abs())
    return (excess > 0).to(excess.dtype) + (soft - soft.detach())
