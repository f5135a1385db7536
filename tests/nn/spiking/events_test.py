import numpy
import pytest

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.spiking.events import count_spikes, list_by_source, list_spikes


@kernel
def listed(spikes):
    starts = numpy.zeros(len(spikes) + 1, numpy.int64)
    sources = numpy.zeros(count_spikes(spikes), numpy.int64)
    list_spikes(spikes, starts, sources)
    firsts = numpy.zeros(spikes.shape[1] + 1, numpy.int64)
    times = numpy.zeros(len(sources), numpy.int64)
    list_by_source(starts, sources, spikes.shape[1], firsts, times)
    return starts, sources, firsts, times


# sizes that are, and are not, whole words of eight bytes, and more than 255 of these
@pytest.mark.parametrize("shape", [(1, 1), (5, 8), (7, 3), (30, 97), (2, 9)])
@pytest.mark.parametrize("rate", [0, 0.1, 1])
def test_lists_hold_every_spike_by_step_and_by_source(shape, rate):
    spikes = (numpy.random.default_rng(1).random(shape) < rate).astype(numpy.uint8)
    starts, sources, firsts, times = listed(spikes)
    assert len(sources) == spikes.sum()
    for step, row in enumerate(spikes):
        assert sources[starts[step] : starts[step + 1]].tolist() == row.nonzero()[0].tolist()
    for source, column in enumerate(spikes.T):
        assert times[firsts[source] : firsts[source + 1]].tolist() == column.nonzero()[0].tolist()
