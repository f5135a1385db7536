import numpy
import pytest

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.spiking.kernels import by_source, spikes_by_step


@kernel
def listed(spikes):
    by_step = spikes_by_step(spikes)
    return by_step, by_source(by_step, spikes.shape[1])


# sizes that are, and are not, whole words of eight bytes, and more than 255 of these
@pytest.mark.parametrize("shape", [(1, 1), (5, 8), (7, 3), (30, 97), (2, 9)])
@pytest.mark.parametrize("rate", [0, 0.1, 1])
def test_lists_hold_every_spike_by_step_and_by_source(shape, rate):
    spikes = (numpy.random.default_rng(1).random(shape) < rate).astype(numpy.uint8)
    by_step, of_source = listed(spikes)
    assert len(by_step.sources) == len(of_source.steps) == spikes.sum()
    for step, row in enumerate(spikes):
        sources = by_step.sources[by_step.starts[step] : by_step.starts[step + 1]]
        assert sources.tolist() == row.nonzero()[0].tolist()
    for source, column in enumerate(spikes.T):
        steps = of_source.steps[of_source.starts[source] : of_source.starts[source + 1]]
        assert steps.tolist() == column.nonzero()[0].tolist()
