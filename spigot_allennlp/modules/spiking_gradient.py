"""Runs a layer of spiking neurons, and defines the gradient through it."""

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
    Runs a layer. All subclasses compute the same spikes from the same inputs; they differ in the
    gradient of the weights and inputs.
    """

    def guard_silent_neurons(self) -> None:
        """
        Called by a model whose loss may keep lowering firing counts that are already zero. A
        gradient that such a loss could make grow without bound then bounds itself, unless its
        config says otherwise. This implementation does nothing.
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
            The spike trains of the inputs.
        layer : `SpikingLayer`
        is_output : `bool`
            Whether the loss is computed from the firing counts of this layer.
        mask : `BoolTensor`, optional
            Shape `(batch_size, steps)`: the steps of each sample, which come first. At all other
            steps no neuron spikes or has a gradient.
        """
        raise NotImplementedError


@SpikingGradient.register("hm2_bp")
class HM2BP(SpikingGradient):
    """
    Hybrid macro/micro-level backpropagation
    ([Jin, Zhang & Li, 2018](https://arxiv.org/abs/1805.07866), section 3): of firing counts at the
    macro level, and through spike-train-level postsynaptic potentials (S-PSPs) at the micro level.
    The equations are in `nn/spiking/hm2_bp.py`. The gradient of a sample is linear in the gradient
    of its counts, except that `injected_spikes` and `inhibition_factor` depend on its sign. So a
    mean of losses gives the mean of the gradients. (The authors' code takes samples one at a time.
    Adam scales gradients by their noise, so larger batches need a larger learning rate.)

    Registered as a `SpikingGradient` with name "hm2_bp".

    # Parameters

    own_rate : `bool`, optional (default = `True`)
        Whether the gradient of a weight accounts for the growth of a neuron's S-PSPs with its
        firing count: the `rate_correction` of `HM2BPOptions`.
    silent_potential : `float`, optional (default = `0.1`)
        Replaces the S-PSP of a spiking input at a neuron that does not spike: the
        `subthreshold_potential` of `HM2BPOptions`.
    silent_ratio : `float`, optional (default = `0.5`)
        Replaces the ratio of an S-PSP to the firing count in the rate correction of a neuron that
        does not spike: the `subthreshold_ratio` of `HM2BPOptions`.
    inhibition_factor : `bool`, optional (default = `True`)
        Whether the gradient of an output layer's weights accounts for the inhibition among its
        neurons.
    injected_spikes : `int`, optional (default = `35`)
        If an output neuron does not spike although the loss asks it to, this many evenly spread
        spikes are assumed for it; otherwise it would have almost no gradient. With zero, none are
        assumed.
    bounds_rate_correction : `bool`, optional
        Whether the rate correction is at least one; see `HM2BPOptions`. The default is `False`, as
        in the authors' code, under the loss "squared", which leaves silent neurons alone; otherwise
        `True`.
    """

    # The first three parameters keep their names because archived configs use them.
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
    ([Neftci, Mostafa & Zenke, 2019](https://arxiv.org/abs/1901.09948)). In every step, the
    derivative with respect to the potential is replaced by
    `1 / (1 + slope * |potential - threshold|) ** 2`, as in SuperSpike
    ([Zenke & Ganguli, 2018](https://arxiv.org/abs/1705.11146)). No gradient flows through the
    reset.

    Registered as a `SpikingGradient` with name "surrogate".

    # Parameters

    slope : `float`, optional (default = `1.0`)
        In units of one over the potential: thresholds of 10 need a smaller slope than thresholds of
        1.
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
