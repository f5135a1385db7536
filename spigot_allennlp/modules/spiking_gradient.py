"""Runs a layer of spiking neurons, and defines the gradient that goes back through it."""

from typing import Optional

import torch
from allennlp.common import Registrable
from torch import BoolTensor

from spigot_allennlp.config_checks import check_least, check_positive
from spigot_allennlp.modules.spiking_layer import SpikeTrains, SpikingLayer
from spigot_allennlp.nn.spiking.gradient_problem import HM2BPOptions
from spigot_allennlp.nn.spiking.hm2_bp import HM2BPLayer, spiking_layer
from spigot_allennlp.nn.spiking.simulation import simulate
from spigot_allennlp.nn.spiking.surrogate import simulate_differentiably


class SpikingGradient(torch.nn.Module, Registrable):
    """
    Runs a layer. All gradients make the same spikes of the same inputs; what they differ in is the
    gradient of the weights and of the inputs.
    """

    def guard_silent_neurons(self) -> None:
        """
        Is called by a model whose loss may go on lowering firing counts that are zero already. A
        gradient that such a loss could drive away without end bounds itself then, if its config
        does not say otherwise; this one does nothing.
        """

    def forward(
        self,
        trains: SpikeTrains,
        layer: SpikingLayer,
        is_output: bool,
        mask: Optional[BoolTensor] = None,
    ) -> SpikeTrains:
        """
        Returns the spike trains of the neurons.

        # Parameters

        trains : `SpikeTrains`
            Of the inputs.
        layer : `SpikingLayer`
        is_output : `bool`
            Whether the loss is computed from the firing counts of this layer.
        mask : `BoolTensor`, optional
            Shape `(batch_size, steps)`: the steps of each sample, which come first. At the others
            no neuron spikes, nor has a gradient.
        """
        raise NotImplementedError


@SpikingGradient.register("hm2_bp")
class HM2BP(SpikingGradient):
    """
    Hybrid macro/micro-level backpropagation
    ([Jin, Zhang & Li, 2018](https://arxiv.org/abs/1805.07866), section 3), of firing counts at the
    macro level, through spike-train-level postsynaptic potentials (S-PSPs) at the micro level; the
    equations are in `nn/spiking/hm2_bp.py`. The gradient of a sample is linear in that of its
    counts, but for `injected_spikes`, which follow from the sign alone: so a mean of losses gives
    the mean of the gradients. (The authors' code takes samples one at a time; under Adam, which
    looks at the size of gradients beside their noise, larger batches want a larger learning rate.)

    Registered as a `SpikingGradient` with name "hm2_bp".

    # Parameters

    own_rate : `bool`, optional (default = `True`)
        Whether the gradient of a weight takes into account that the S-PSPs of a neuron grow with
        its firing count: the `rate_correction` of `HM2BPOptions`.
    silent_potential : `float`, optional (default = `0.1`)
        Stands for the S-PSP of an input that spikes at a neuron that does not: the
        `subthreshold_potential` of `HM2BPOptions`.
    silent_ratio : `float`, optional (default = `0.5`)
        Stands for the quotient of an S-PSP and the firing count, in the rate correction of a neuron
        that does not spike: the `subthreshold_ratio` of `HM2BPOptions`.
    inhibition_factor : `bool`, optional (default = `True`)
        Whether the gradient of an output layer's weights takes the inhibition among its neurons
        into account.
    injected_spikes : `int`, optional (default = `35`)
        So many spikes, evenly spread, count as those of an output neuron that does not spike, but
        is wanted to by the loss: else it had no gradient to speak of. None if zero.
    bounds_rate_correction : `bool`, optional
        Whether the rate correction is at least one; see `HM2BPOptions`. The default is `False`, as
        in the authors' code, under the loss "squared", which leaves silent neurons alone; else
        `True`.
    """

    # The first three parameters are keys of configs that have been archived; hence their names.
    def __init__(
        self,
        own_rate: bool = True,
        silent_potential: float = 0.1,
        silent_ratio: float = 0.5,
        inhibition_factor: bool = True,
        injected_spikes: int = 35,
        bounds_rate_correction: Optional[bool] = None,
    ) -> None:
        super().__init__()
        check_least(0, injected_spikes=injected_spikes)
        self._options = HM2BPOptions(
            rate_correction=own_rate,
            subthreshold_potential=silent_potential,
            subthreshold_ratio=silent_ratio,
            bounds_rate_correction=bool(bounds_rate_correction),
        )
        self._follows_loss = bounds_rate_correction is None
        self._corrects_inhibition = inhibition_factor
        self._injected_spikes = injected_spikes

    def guard_silent_neurons(self) -> None:
        if self._follows_loss:
            self._options = self._options._replace(bounds_rate_correction=True)

    def forward(
        self,
        trains: SpikeTrains,
        layer: SpikingLayer,
        is_output: bool,
        mask: Optional[BoolTensor] = None,
    ) -> SpikeTrains:
        hm2_bp_layer = HM2BPLayer(
            layer.connection,
            layer.neurons,
            self._options,
            layer.divisor,
            self._corrects_inhibition and layer.neurons.inhibition != 0,
            self._injected_spikes if is_output else 0,
        )
        counts, fired = spiking_layer(trains.counts, layer.weight, trains.fired, hm2_bp_layer, mask)
        return SpikeTrains(fired, counts)


@SpikingGradient.register("surrogate")
class Surrogate(SpikingGradient):
    """
    The baseline: backpropagation through time, with a surrogate for the derivative of a spike
    ([Neftci, Mostafa & Zenke, 2019](https://arxiv.org/abs/1901.09948)). With respect to the
    potential that is taken to be `1 / (1 + slope * |potential - threshold|) ** 2`, as in SuperSpike
    ([Zenke & Ganguli, 2018](https://arxiv.org/abs/1705.11146)), in every step; no gradient flows
    through the reset.

    Registered as a `SpikingGradient` with name "surrogate".

    # Parameters

    slope : `float`, optional (default = `1.0`)
        By one over the potential: thresholds of 10 want a smaller one than thresholds of 1.
    """

    def __init__(self, slope: float = 1.0) -> None:
        super().__init__()
        check_positive(slope=slope)
        self._slope = slope

    def forward(
        self,
        trains: SpikeTrains,
        layer: SpikingLayer,
        is_output: bool,
        mask: Optional[BoolTensor] = None,
    ) -> SpikeTrains:
        del is_output
        weight, connection, neurons = layer.weight, layer.connection, layer.neurons
        if torch.is_grad_enabled():
            spikes = simulate_differentiably(
                trains.spikes, weight, connection, neurons, self._slope
            )
        else:
            spikes = simulate(trains.fired, weight, connection, neurons)
        if mask is not None:
            spikes = spikes.masked_fill(~mask.unsqueeze(-1), 0)
        return SpikeTrains.of(spikes)
