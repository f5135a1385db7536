import numpy
import pytest

from spigot_allennlp.data.speech_features import log_mel, mel_bands, rise_and_fall


def tone(frequency, seconds=0.4, rate=8000):
    return numpy.sin(2 * numpy.pi * frequency * numpy.arange(int(seconds * rate)) / rate)


def test_a_tone_is_loudest_in_its_band():
    bands = mel_bands(200, 8000, 20)
    frequencies = numpy.fft.rfftfreq(200, 1 / 8000)
    for frequency in (300.0, 1000.0, 3000.0):
        found = log_mel(tone(frequency), 8000, 10, 20).mean(axis=0).argmax()
        centre = (bands[found] * frequencies).sum() / bands[found].sum()
        assert centre == pytest.approx(frequency, rel=0.15)


def test_values_are_between_silence_and_the_loudest():
    signal = numpy.concatenate([tone(500, 0.2), numpy.zeros(1600)])
    found = log_mel(signal, 8000, 20, 12)
    assert found.shape == (20, 12) and found.dtype == numpy.float32
    assert found.max() == 1 and (found[-5:] == 0).all()


def test_silence_is_zero_everywhere_also_where_there_is_nothing_else():
    assert (log_mel(numpy.zeros(4000), 8000, 20, 12) == 0).all()
    assert (log_mel(numpy.full(4000, 1e-12), 8000, 20, 12) == 0).all()


@pytest.mark.parametrize("signal", [[], [0.0, float("nan")], [float("inf")]])
def test_what_is_no_signal_is_refused(signal):
    with pytest.raises(ValueError, match="no sample|no finite number"):
        log_mel(numpy.array(signal), 8000, 20, 12)


def test_loudness_does_not_matter():
    quiet = log_mel(0.01 * tone(700), 8000, 8, 12)
    assert numpy.allclose(quiet, log_mel(tone(700), 8000, 8, 12), atol=1e-3)


@pytest.mark.parametrize("length", [1, 150, 5000])
def test_every_recording_has_as_many_frames(length):
    assert log_mel(numpy.ones(length), 8000, 30, 10).shape == (30, 10)


def test_no_band_is_empty():
    assert (mel_bands(200, 8000, 60).sum(axis=1) > 0).all()


def test_what_rises_and_what_falls_by_hand():
    features = numpy.array([[0.5, 0.2], [0.5, 0.4], [0.5, 0.9]], numpy.float32)
    expected = [[0, 0, 0, 0.6], [0, 0, 0, 0.2], [0, 0.8, 0, 0]]
    assert numpy.allclose(rise_and_fall(features), expected)
