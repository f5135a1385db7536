import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.modules.spike_encoding import (
    EventEncoding,
    LatencyEncoding,
    RateEncoding,
    SpikeEncoding,
)


def test_bytes_spike_in_proportion_to_their_value():
    image = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    spikes = RateEncoding(5000, max_rate=0.5)(image)
    assert spikes.shape == (1, 5000, 3)
    assert spikes.float().mean(1)[0].tolist() == pytest.approx([0, 0.1, 0.5], abs=0.03)


def test_each_frame_lasts_equally_long_and_what_is_left_is_silent():
    frames = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    (spikes,) = RateEncoding(7, max_rate=1.0)(frames)
    assert spikes[:, 0].tolist() == [True] * 3 + [False] * 4
    assert spikes[:, 1].tolist() == [False] * 3 + [True] * 3 + [False]


def test_spikes_are_new_in_each_pass_or_sampled_once():
    image, samples = torch.full((2, 50), 0.5), torch.tensor([3, 4])
    new, once = RateEncoding(20), RateEncoding(20, seed=1)
    assert not torch.equal(new(image), new(image))
    assert torch.equal(once(image, samples), once(image, samples))
    assert not torch.equal(once(image, samples)[0], once(image, samples)[1])
    assert not torch.equal(once(image, samples), RateEncoding(20, seed=2)(image, samples))


def test_the_stronger_the_sooner_and_the_weak_never():
    image = torch.tensor([[1.0, 0.55, 0.1, 0.09, 0.0]])
    (spikes,) = LatencyEncoding(11, threshold=0.1)(image)
    assert spikes.sum(0).tolist() == [1, 1, 1, 0, 0]
    assert spikes[:, :3].float().argmax(0).tolist() == [0, 5, 10]


def test_events_fall_into_steps_and_padding_does_not_count():
    events = torch.tensor([[[0, 1], [599, 1], [600, 2], [9999, 0]], [[1200, 0], [-1, -1]] * 2])
    spikes = EventEncoding(num_steps=3, step_width=600, num_inputs=3)(events)
    assert spikes.nonzero().tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 0]]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"type": "rate", "num_steps": 1}, "num_steps must be at least 2 but is 1"),
        ({"type": "rate", "num_steps": 9, "max_rate": 2.0}, r"max_rate must be in \(0, 1\]"),
        ({"type": "latency", "num_steps": 9, "threshold": 1.0}, r"threshold must be in \[0, 1\)"),
        ({"type": "events", "step_width": 0}, "step_width must be at least 1 but is 0"),
        ({"type": "events", "num_inputs": 0}, "num_inputs must be at least 1 but is 0"),
    ],
)
def test_an_encoding_that_cannot_be_says_why(options, message):
    with pytest.raises(ConfigurationError, match=message):
        SpikeEncoding.from_params(Params(options))


def test_what_an_encoding_cannot_take_is_refused():
    with pytest.raises(ConfigurationError, match="has 9 frames, more than there are steps, 8"):
        RateEncoding(8)(torch.rand(1, 9, 2))
    with pytest.raises(ConfigurationError, match="the samples no numbers"):
        RateEncoding(8, seed=1)(torch.rand(1, 2))
    with pytest.raises(ConfigurationError, match="from source 5, but num_inputs is 3"):
        EventEncoding(num_inputs=3)(torch.tensor([[[0, 5]]]))
    for time in (-5, -5000):
        with pytest.raises(ConfigurationError, match=f"at time {time}, but times count from 0"):
            EventEncoding(num_inputs=3)(torch.tensor([[[0, 1], [time, 1]]]))
    with pytest.raises(ConfigurationError, match="have no frames"):
        RateEncoding(8)(torch.zeros(1, 0, 2))


ENCODINGS = [RateEncoding(40), LatencyEncoding(40)]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=["rate", "latency"])
@pytest.mark.parametrize(
    "inputs, found",
    [
        (torch.tensor([[0, 51, 255]]), "int64 from 0 to 255"),
        (torch.tensor([[0, 1]]), "int64 from 0 to 1"),  # a dark image, or one of two colours?
        (torch.tensor([[0, 51, 255]], dtype=torch.int32), "int32 from 0 to 255"),
        (torch.tensor([[0.0, 51.0, 255.0]]), "float32 from 0 to 255"),
        (torch.tensor([[-0.5, 0.5]]), "float32 from -0.5 to 0.5"),
        (torch.tensor([[0.5, torch.nan]]), "float32 from nan to nan"),
        (torch.tensor([[0.5, torch.inf]]), "float32 from 0.5 to inf"),
    ],
    ids=str,
)
def test_numbers_that_are_no_intensities_are_refused(encoding, inputs, found):
    with pytest.raises(ConfigurationError, match=f"from 0 to 1, or bytes .* but found {found}"):
        encoding(inputs)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=["rate", "latency"])
def test_bytes_and_truth_values_are_the_floats_they_stand_for(encoding):
    image = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    for same, floats in [(image, image.double() / 255), (image > 60, (image > 60).float())]:
        torch.manual_seed(1)
        expected = encoding(floats)
        torch.manual_seed(1)
        assert torch.equal(encoding(same), expected)
    assert encoding(image[:0]).shape == (0, 40, 3)
