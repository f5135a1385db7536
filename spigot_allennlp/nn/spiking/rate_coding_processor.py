"""Numbers as rates on the processor, as machine code."""

import numpy
import torch
from torch import BoolTensor, LongTensor

from spigot_allennlp.nn.compilation import entry
from spigot_allennlp.nn.devices import share
from spigot_allennlp.nn.sampling import GAMMA, splitmix64

# Numbers to be drawn from which on a second thread gains more than it costs.
MANY = 200_000


def draw(bounds: LongTensor, steps_per_frame: int, seeds: LongTensor) -> BoolTensor:
    """As `draw_by_tensors` of `rate_coding.py`."""
    size, frames, num_sources = bounds.shape
    spikes = torch.zeros(size, frames * steps_per_frame, num_sources, dtype=torch.bool)
    arrays = (
        bounds.contiguous().numpy(),
        seeds.contiguous().numpy().view(numpy.uint64),
        spikes.numpy().view(numpy.uint8),
    )
    if spikes.numel() == 0:
        return spikes
    parts = numpy.array_split(numpy.arange(size), min(torch.get_num_threads(), max(size, 1)))
    share(lambda members: write_spikes(members, *arrays), parts, spikes.numel() > MANY)
    return spikes


@entry
def write_spikes(members, bounds, seeds, spikes):
    """Writes ones into `spikes`; sources that never spike are passed over."""
    frames, num_sources = bounds.shape[1:]
    steps_per_frame = spikes.shape[1] // frames
    active = numpy.empty(num_sources, numpy.int64)
    for member in members:
        for frame in range(frames):
            number = 0
            for source in range(num_sources):
                if bounds[member, frame, source] > 0:
                    active[number] = source
                    number += 1
            for step in range(frame * steps_per_frame, (frame + 1) * steps_per_frame):
                for source in active[:number]:
                    counter = numpy.uint64(step * num_sources + source + 1)
                    bits = splitmix64(seeds[member] + counter * GAMMA)
                    high = numpy.int64(bits >> numpy.uint64(32))
                    spikes[member, step, source] = high < bounds[member, frame, source]
