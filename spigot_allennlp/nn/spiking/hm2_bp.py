"""
Hybrid macro/micro-level backpropagation (HM2-BP; Jin, Zhang & Li, 2018) through a spiking layer.

At the macro level, a loss is differentiated by firing counts, which are sums of spikes. At the
micro level, counts depend on spike times through spike-train-level postsynaptic potentials (S-PSPs,
see `psp.py`). The firing count of neuron i is about `a_i / threshold`, where `a_i`, its total
postsynaptic potential, is the sum over its inputs j of weight times S-PSP. An S-PSP `e_ij` is about
proportional to the counts `o` at both ends. So (section 3.3)

    do_i / dw_ij = e_ij / threshold * (1 + sum_l w_il * e_il / o_i / threshold)
    do_i / do_j  = w_ij * e_ij / o_j / threshold

where the second factor in the first line is the correction for the neuron's own rate. If a count is
zero, `e_ij / o_j` is one. `HM2BPOptions` defines the other replacements, and whether the correction
is bounded.
"""

from typing import Any, NamedTuple, Optional, Tuple

import torch
from torch import BoolTensor, Tensor
from torch.autograd.function import once_differentiable

from spigot_allennlp.nn.devices import has_kernels, without_autocast
from spigot_allennlp.nn.spiking import torch_fallback
from spigot_allennlp.nn.spiking.connection import Connection
from spigot_allennlp.nn.spiking.gradient_problem import (
    HM2BPOptions,
    SpikeGradientProblem,
    SpikeGradients,
)
from spigot_allennlp.nn.spiking.neurons import Neurons
from spigot_allennlp.nn.spiking.psp import psp_per_spike
from spigot_allennlp.nn.spiking.simulation import firing_counts, simulate
from spigot_allennlp.nn.tensor_checks import FLOATS, TRUTH_VALUES, Argument, Signature
from spigot_allennlp.nn.transforms import check_untransformed, uncompiled

_SPIKES = Argument("spikes", TRUTH_VALUES, ("batch_size", "steps", "num_inputs"))
_FIRED = Argument("fired", TRUTH_VALUES, ("batch_size", "steps", "num_neurons"))
_WEIGHT = Argument("weight", FLOATS, ("num_rows", "width"))
_MASK = Argument("mask", TRUTH_VALUES, ("batch_size", "steps"), is_optional=True)
_INPUT = Signature(
    Argument("counts", FLOATS, ("batch_size", "num_inputs")), _WEIGHT, _SPIKES, _MASK
)
_WANTED = Argument("wanted", TRUTH_VALUES, ("batch_size", "num_neurons"))
_OUTPUT = Signature(_FIRED, _WANTED)
_MASKED_OUTPUT = Signature(_FIRED, _WANTED, _MASK)
_PROBLEM = Signature(
    _SPIKES,
    _FIRED,
    _WEIGHT,
    Argument("delta", FLOATS, ("batch_size", "num_neurons")),
    Argument("inhibition_factor", FLOATS, ("batch_size", "num_neurons")),
)

# The upper limit for the mutual inhibition among output neurons in the gradient.
STRONGEST = 0.9


class HM2BPLayer(NamedTuple):
    """
    A spiking layer without its weights, and how the gradient passes back through it.

    # Parameters

    connection : `Connection`
    neurons : `Neurons`
    options : `HM2BPOptions`
    divisor : `float`
        The divisor of the gradients of counts: the threshold, except for pooling.
    corrects_inhibition : `bool`
        Whether the gradient of the weights accounts for neurons that inhibit each other.
    injected_spikes : `int`
        If a neuron does not spike, but the loss wants a higher count, this many evenly spread
        spikes stand for its own; none if zero.
    """

    connection: Connection
    neurons: Neurons
    options: HM2BPOptions
    divisor: float
    corrects_inhibition: bool
    injected_spikes: int


@uncompiled
def spiking_layer(
    counts: Tensor,
    weight: Tensor,
    spikes: BoolTensor,
    layer: HM2BPLayer,
    mask: Optional[BoolTensor] = None,
) -> Tuple[Tensor, BoolTensor]:
    """
    Simulates a layer. Its firing counts are differentiable, once, in the firing counts of its
    inputs and in its weights.

    # Parameters

    counts : `Tensor`
        The firing counts of the inputs, shape `(batch_size, num_inputs)`.
    weight : `Tensor`
        Shape `(num_rows, width)` of the connection.
    spikes : `BoolTensor`
        The spikes of the inputs, shape `(batch_size, steps, num_inputs)`.
    layer : `HM2BPLayer`
    mask : `BoolTensor`, optional
        Shape `(batch_size, steps)`: the steps of each sample. No neuron spikes at the others.

    # Returns

    `Tuple[Tensor, BoolTensor]`
        The firing counts, shape `(batch_size, num_neurons)`, in at least single precision, and the
        spikes.

    # Raises

    `NotImplementedError`
        Under transforms of `torch.func`, such as `vmap` and `grad`.
    """
    check_untransformed("a spiking layer with the gradient of HM2-BP", counts, weight, spikes)
    _INPUT.check(counts, weight, spikes, mask, **layer.connection.sizes)
    return _SpikingLayer.apply(counts, weight, spikes, layer, mask)


class _SpikingLayer(torch.autograd.Function):
    """
    Defines the gradient, since counts are sums of spikes, which autograd cannot differentiate.
    """

    @staticmethod
    def forward(
        ctx: Any,
        counts: Tensor,
        weight: Tensor,
        spikes: BoolTensor,
        layer: HM2BPLayer,
        mask: Optional[BoolTensor],
    ) -> Tuple[Tensor, BoolTensor]:
        fired = simulate(spikes, weight, layer.connection, layer.neurons)
        if mask is not None:
            # a copy, since the caller may change it in place before the backward pass
            mask = mask.clone()
            # before they are saved, so the gradient is also that of the sample without padding
            fired.masked_fill_(~mask.unsqueeze(-1), False)
        ctx.layer, ctx.mask = layer, mask
        ctx.save_for_backward(weight, spikes, fired)
        ctx.mark_non_differentiable(fired)
        return firing_counts(fired, torch.promote_types(weight.dtype, torch.float)), fired

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Tensor, spike_gradient: Optional[Tensor]
    ) -> Tuple[Optional[Tensor], Tensor, None, None, None]:
        del spike_gradient
        weight, spikes, fired = ctx.saved_tensors
        layer: HM2BPLayer = ctx.layer
        wanted, neurons = gradient < 0, layer.neurons
        factor = torch.ones_like(gradient)
        if layer.corrects_inhibition:
            factor = inhibition_factor(fired, wanted, neurons).to(gradient.dtype)
        if layer.injected_spikes:
            fired = with_injected_spikes(
                fired, wanted, layer.injected_spikes, neurons.refractory, ctx.mask
            )
        problem = SpikeGradientProblem(
            spikes=spikes,
            fired=fired,
            weight=weight,
            delta=gradient / layer.divisor,
            inhibition_factor=factor,
            connection=layer.connection,
            neurons=neurons,
            options=layer.options,
            needs_count_gradient=ctx.needs_input_grad[0],
        )
        result = gradients(problem)
        return result.counts, result.weight, None, None, None


def gradients(problem: SpikeGradientProblem) -> SpikeGradients:
    """Computes the gradients of a layer's weights and of its inputs' counts from the equations."""
    connection = problem.connection
    _PROBLEM.check(*problem[:5], num_neurons=connection.num_neurons, **connection.sizes)
    if has_kernels(problem.spikes.device):
        from spigot_allennlp.nn.spiking import cpu  # numba is slow to import

        return cpu.gradients(problem)
    with without_autocast(problem.spikes.device):
        return torch_fallback.gradients(problem)


def with_injected_spikes(
    fired: BoolTensor,
    wanted: BoolTensor,
    num_injected: int,
    refractory: int,
    mask: Optional[BoolTensor] = None,
) -> BoolTensor:
    """
    Returns a copy in which neurons that do not spike, but are `wanted` to (shape
    `(batch_size, num_neurons)`), spike every `steps // num_injected` steps (or as often as they
    can), except at the first step. Only steps in the `mask`, `(batch_size, steps)`, count, if there
    is one.

    In the authors' code, the neuron of the right class is wanted. The gradient of a loss with a
    margin that no other silent neuron exceeds expresses the same.
    """
    _MASKED_OUTPUT.check(fired, wanted, mask)
    if mask is None:
        mask = fired.new_ones(fired.shape[:2])
    # (batch_size, steps): the number of each step in its sample, from 0
    step = mask.long().cumsum(1) - 1
    interval = (mask.sum(1, keepdim=True) // num_injected).clamp(min=refractory + 1)
    injected = (step % interval == 0) & (step > 0) & mask
    silent = wanted & (firing_counts(fired, torch.float) == 0)
    return fired | (injected.unsqueeze(-1) & silent.unsqueeze(1))


def inhibition_factor(fired: BoolTensor, wanted: BoolTensor, neurons: Neurons) -> Tensor:
    """
    Computes the factor by which the gradient of a neuron's count is larger because its spikes
    inhibit the others, which then inhibit it less:
    `1 / (1 - w * w * sum_l (e_li / o_i / nu) (e_il / o_l / nu))`, shape
    `(batch_size, num_neurons)`, where `w` is the inhibition, `nu` the threshold, and `e_li` the
    S-PSP of neuron i at neuron l. A neuron that does not spike counts with ratios of one if it is
    `wanted` to, otherwise not at all.

    The factor is the sum of a geometric series, which converges if the product with `w` is below
    one. Low thresholds can make it larger. It then counts as `STRONGEST`, so that the factor does
    not become infinite or change its sign. (In the authors' networks, it is far below.)
    """
    _OUTPUT.check(fired, wanted)
    per_spike = psp_per_spike(fired, neurons, torch.float)
    trains, counts = fired.to(per_spike.dtype), firing_counts(fired, per_spike.dtype)
    silent = counts == 0
    # (batch_size, sender, receiver)
    with without_autocast(fired.device):
        ratios = trains.transpose(1, 2) @ per_spike / counts.clamp(min=1).unsqueeze(2)
    ratios = ratios.masked_fill(silent.unsqueeze(1) | silent.unsqueeze(2), 1)
    counted = (~silent | wanted).to(ratios.dtype) / neurons.threshold
    products = ratios * ratios.transpose(1, 2) * counted.unsqueeze(1) * counted.unsqueeze(2)
    others = products.sum(2) - products.diagonal(dim1=1, dim2=2)
    return 1 / (1 - (neurons.inhibition**2 * others).clamp(max=STRONGEST))
