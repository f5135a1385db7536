"""
A spiking layer whose firing counts are differentiable, by the rule of HM2-BP.

Counts are sums of spikes, which have no derivative: autograd cannot find this gradient, so it is a
`torch.autograd.Function`.
"""

from typing import Any, NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import once_differentiable

from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.counts import firing_counts
from spigot_allennlp.nn.spiking.effects import spike_effects
from spigot_allennlp.nn.spiking.gradient_problem import SpikeGradientProblem
from spigot_allennlp.nn.spiking.gradients import gradients
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.options import Options
from spigot_allennlp.nn.spiking.simulation import simulate
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature

_INPUT = Signature(
    Argument("counts", FLOATS, ("batch_size", "num_inputs")),
    Argument("weight", FLOATS, ("num_rows", "width")),
    Argument("spikes", TRUTH_VALUES, ("batch_size", "steps", "num_inputs")),
)
_OUTPUT = Signature(
    Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons")),
    Argument("wanted", TRUTH_VALUES, ("batch_size", "num_neurons")),
)

# Mutual inhibition among output neurons that the gradient takes into account, at most.
STRONGEST = 0.9


class Rule(NamedTuple):
    """
    How the gradient goes back through a layer.

    # Parameters

    connection : `Connection`
    neurons : `Neurons`
    options : `Options`
    divisor : `float`
        What deltas are divided by: the threshold, but for pooling.
    inhibition_factor : `bool`
        Whether the gradient of the weights is that of neurons which inhibit each other.
    injected_spikes : `int`
        So many spikes, spread evenly, stand for those of a neuron that does not spike and whose
        count the loss wants to be higher; none if zero.
    """

    connection: Connection
    neurons: Neurons
    options: Options
    divisor: float
    inhibition_factor: bool
    injected_spikes: int


def spiking_layer(
    counts: Tensor, weight: Tensor, spikes: BoolTensor, rule: Rule
) -> Tuple[Tensor, BoolTensor]:
    """
    # Parameters

    counts : `Tensor`
        The firing counts of the inputs, shape `(batch_size, num_inputs)`; differentiable.
    weight : `Tensor`
        Shape `(num_rows, width)` of the connection; differentiable.
    spikes : `BoolTensor`
        Shape `(batch_size, steps, num_inputs)`.
    rule : `Rule`

    # Returns

    `Tuple[Tensor, BoolTensor]`
        The firing counts, shape `(batch_size, num_neurons)`, and the spikes.
    """
    _INPUT.check(counts, weight, spikes, **rule.connection.sizes)
    return _SpikingLayer.apply(counts, weight, spikes, rule)


class _SpikingLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, counts: Tensor, weight: Tensor, spikes: BoolTensor, rule: Rule
    ) -> Tuple[Tensor, BoolTensor]:
        fired = simulate(spikes, weight, rule.connection, rule.neurons)
        ctx.rule = rule
        ctx.save_for_backward(weight, spikes, fired)
        ctx.mark_non_differentiable(fired)
        return firing_counts(fired, weight.dtype), fired

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Tensor, of_spikes: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Tensor, None, None]:
        del of_spikes
        weight, spikes, fired = ctx.saved_tensors
        connection, neurons, options, divisor, inhibition_factor, injected = ctx.rule
        factor = torch.ones_like(gradient)
        if inhibition_factor:
            factor = factor_of_inhibition(fired, gradient < 0, neurons).to(gradient.dtype)
        if injected:
            fired = with_injected_spikes(fired, gradient < 0, injected, neurons.refractory)
        given = gradient / divisor, factor, connection, neurons, options, ctx.needs_input_grad[0]
        problem = SpikeGradientProblem(spikes, fired, weight, *given)
        for_weight, for_counts = gradients(problem)
        return for_counts, for_weight, None, None


def with_injected_spikes(
    fired: BoolTensor, wanted: BoolTensor, number: int, refractory: int
) -> BoolTensor:
    """
    A copy in which those neurons that do not spike, but are `wanted` to (shape `(batch_size,
    num_neurons)`), do so every `steps // number` steps (or as often as they can), but for the
    first.

    In the authors' code it is the neuron of the right class that is wanted. A loss with a margin
    that no other silent neuron exceeds says the same by its gradient.
    """
    _OUTPUT.check(fired, wanted)
    steps = fired.size(1)
    step = torch.arange(steps, device=fired.device)
    every = max(steps // number, refractory + 1)
    beat = (step % every == 0) & (step > 0)
    silent = wanted & (firing_counts(fired, torch.float) == 0)
    return fired | (beat.unsqueeze(-1) & silent.unsqueeze(1))


def factor_of_inhibition(fired: BoolTensor, wanted: BoolTensor, neurons: Neurons) -> Tensor:
    """
    By how much the gradient of a neuron's count is larger since its spikes inhibit the others,
    which then inhibit it less: `1 / (1 - w * w * sum_l (e_li / o_i / nu) (e_il / o_l / nu))`, shape
    `(batch_size, num_neurons)`, where `w` is the inhibition, `nu` the threshold, and `e_li` the
    S-PSP of neuron i at neuron l. A neuron that does not spike counts as one with ratios of one if
    it is `wanted` to, and else not at all.

    The factor is the sum of a geometric series, which converges if that product with `w` is below
    one; low thresholds can make it larger. It counts as `STRONGEST` then, lest the factor be
    infinite or change its sign. (In the authors' networks it is far below.)
    """
    _OUTPUT.check(fired, wanted)
    effects = spike_effects(fired, neurons, torch.float)
    trains, counts = fired.to(effects.dtype), firing_counts(fired, effects.dtype)
    silent = counts == 0
    # of the neuron that sends, and of the one that receives
    ratios = trains.transpose(1, 2) @ effects / counts.clamp(min=1).unsqueeze(2)
    ratios = ratios.masked_fill(silent.unsqueeze(1) | silent.unsqueeze(2), 1)
    share = (~silent | wanted).to(ratios.dtype) / neurons.threshold
    products = ratios * ratios.transpose(1, 2) * share.unsqueeze(1) * share.unsqueeze(2)
    others = products.sum(2) - products.diagonal(dim1=1, dim2=2)
    return 1 / (1 - (neurons.inhibition**2 * others).clamp(max=STRONGEST))
