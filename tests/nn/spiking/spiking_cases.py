"""Small spiking layers of all kinds, with the spikes of their inputs."""

import torch

from spigot_allennlp.nn.spiking.connection import (
    ImageShape,
    all_to_all,
    convolution,
    pooling,
)
from spigot_allennlp.nn.spiking.neurons import Neurons

CONNECTIONS = {
    "all_to_all": all_to_all(9, 5),
    "convolution": convolution(ImageShape(4, 5, 2), 3, 3),
    "pooling": pooling(ImageShape(5, 4, 2), 2),
}
# Times so short that spikes expire; refractory periods that are none, and long.
NEURONS = {
    "released": Neurons(3.0),
    "short": Neurons(2.0, 6.0, 3.0, 2),
    "without_refractory_period": Neurons(2.0, 4.0, 3.5, 0),
    "inhibiting": Neurons(2.0, 5.0, 2.0, 1, 0.5),
    "uneven": Neurons(1.5, 5.3, 2.1, 5),
}


def problem(connection, batch_size=3, steps=50, seed=1, dtype=torch.double):
    """Input spikes, and weights. The first input is silent, the first channel nearly so."""
    generator = torch.Generator().manual_seed(seed)
    spikes = torch.rand(batch_size, steps, connection.num_inputs, generator=generator) < 0.2
    spikes[:, :, 0] = False
    shape = connection.num_rows, connection.width
    weight = 2 * torch.rand(shape, generator=generator, dtype=dtype) - 0.6
    if connection.num_rows == 1:
        return spikes, torch.ones_like(weight)
    weight[:, 0] -= 2
    return spikes, weight
