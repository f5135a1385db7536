"""Hybrid macro/micro backpropagation: firing counts, through spike-train-level potentials."""

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.modules.spike_trains import SpikeTrains
from spigot_allennlp.modules.spiking_gradient.spiking_gradient import SpikingGradient
from spigot_allennlp.modules.spiking_layer.spiking_layer import SpikingLayer
from spigot_allennlp.nn.spiking.hm2_bp import Rule, spiking_layer
from spigot_allennlp.nn.spiking.options import Options


@SpikingGradient.register("hm2_bp")
class HM2BP(SpikingGradient):
    """
    [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866), section 3; the equations are in
    `nn/spiking/gradients.py`. The gradient of a sample is linear in that of its counts, but for
    `injected_spikes`, which follow from the sign alone: so a mean of losses gives the mean of the
    gradients, and learning rates mean the same at every batch size. (The authors' code takes
    samples one at a time.)

    Registered as a `SpikingGradient` with name "hm2_bp".

    # Parameters

    own_rate : `bool`, optional (default = `True`)
        See `Options`.
    silent_potential : `float`, optional (default = `0.1`)
        See `Options`.
    silent_ratio : `float`, optional (default = `0.5`)
        See `Options`.
    inhibition_factor : `bool`, optional (default = `True`)
        Whether the gradient of an output layer's weights takes the inhibition among its neurons
        into account.
    injected_spikes : `int`, optional (default = `35`)
        So many spikes, evenly spread, count as those of an output neuron that does not spike, but
        is wanted to by the loss: else it had no gradient to speak of. None if zero.
    """

    def __init__(
        self,
        own_rate: bool = True,
        silent_potential: float = 0.1,
        silent_ratio: float = 0.5,
        inhibition_factor: bool = True,
        injected_spikes: int = 35,
    ) -> None:
        super().__init__()
        if injected_spikes < 0:
            raise ConfigurationError(
                f"injected_spikes must not be negative but found {injected_spikes}; 0 for none."
            )
        self._options = Options(own_rate, silent_potential, silent_ratio)
        self._inhibition_factor = inhibition_factor
        self._injected_spikes = injected_spikes

    def forward(self, trains: SpikeTrains, layer: SpikingLayer, is_output: bool) -> SpikeTrains:
        rule = Rule(
            layer.connection,
            layer.neurons,
            self._options,
            layer.divisor,
            self._inhibition_factor and layer.neurons.inhibition != 0,
            self._injected_spikes if is_output else 0,
        )
        counts, fired = spiking_layer(trains.counts, layer.weight, trains.fired, rule)
        return SpikeTrains(fired, counts)
