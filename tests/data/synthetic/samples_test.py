"""The embedded data sets that are seen and heard: digits, events and speech."""

import numpy
import pytest

from spigot_allennlp.data.synthetic.digits import generate_digits, generate_events
from spigot_allennlp.data.synthetic.speech import generate_recordings

GENERATORS = [generate_digits, generate_events, generate_recordings]


def as_text(sample):
    return repr([numpy.asarray(part).tolist() for part in sample if not isinstance(part, tuple)])


@pytest.mark.parametrize("generate", GENERATORS)
def test_a_sample_is_the_same_whenever_and_whatever_the_size(generate):
    few, many = list(generate("synthetic:size=2,seed=5")), generate("synthetic:size=4,seed=5")
    assert [as_text(sample) for sample in few] == [as_text(next(many)) for _ in few]
    other = next(iter(generate("synthetic:size=1,seed=6")))
    assert repr(other) != repr(few[0])


@pytest.mark.parametrize("generate", GENERATORS)
def test_a_specification_that_cannot_be_understood_is_refused(generate):
    with pytest.raises(ValueError, match="there is no key 'sice'"):
        list(generate("synthetic:sice=3"))


def test_all_digits_occur_and_differ():
    samples = list(generate_digits("synthetic:size=300,seed=1"))
    means = [numpy.mean([x for x, y in samples if y == digit], axis=0) for digit in range(10)]
    assert samples[0][0].dtype == numpy.uint8
    nearest = [numpy.argmin([numpy.square(mean - x).sum() for mean in means]) for x, _ in samples]
    assert numpy.mean([near == y for near, (_, y) in zip(nearest, samples, strict=True)]) > 0.5


def test_events_come_in_time_from_pixels_that_there_are():
    events, _ = next(generate_events("synthetic:size=1,seed=1"))
    assert len(events.times) > 100 and (numpy.diff(events.times) >= 0).all()
    assert events.sources().max() < 2 * 34 * 34 and set(events.brighter.tolist()) == {0, 1}


def test_recordings_are_named_by_digit_and_speaker():
    names = [r.name.split("_") for r in generate_recordings("synthetic:size=60,seed=1")]
    assert {name[0] for name in names} == set("0123456789")
    assert {name[1] for name in names} == {"low", "middle", "high"}
