"""The readers whose instances become spikes: of images, events and speech."""

from pathlib import Path

import numpy
import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.dataset_readers.mnist import MnistReader
from spigot_allennlp.data.dataset_readers.n_mnist import NMnistReader
from spigot_allennlp.data.dataset_readers.spoken_digits import (
    SpokenDigitsReader,
    log_mel,
    mel_bands,
    on_off_channels,
)
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.formats.events import encode_events
from spigot_allennlp.data.synthetic.digits import generate_digits, generate_events
from tests.data.idx_files import write_images

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
RECORDING, SPEECH = SHARED / "nmnist" / "sample_nmnist.bin", SHARED / "fsdd" / "fsdd.tar.xz"


def samples(reader, path):
    return [instance["metadata"].metadata["sample"] for instance in reader.read(path)]


def labels(reader, path):
    return [instance["label"].label for instance in reader.read(path)]


@pytest.fixture
def images(tmp_path):
    pixels = numpy.arange(9 * 4).reshape(9, 2, 2)
    return write_images(tmp_path, pixels, [0, 1, 2, 3, 4, 5, 6, 7, 8])


def test_an_image_becomes_an_instance(images):
    instance = list(MnistReader().read(images))[2]
    assert instance["inputs"].array.tolist() == [8, 9, 10, 11]
    assert instance["inputs"].array.dtype == numpy.uint8
    assert instance["label"].label == "2" and instance["metadata"].metadata == {"sample": 2}


def test_what_is_held_out_is_not_trained_on(images):
    reader = MnistReader(held_out_every=4)
    assert samples(reader, f"{images}#held_out") == [0, 4, 8]
    assert samples(reader, f"{images}#train") == [1, 2, 3, 5, 6, 7]
    assert samples(reader, f"{images}#train:2") == [1, 2]
    assert samples(reader, images) == list(range(9))


@pytest.mark.parametrize(
    "part, message",
    [
        ("#test", 'the part "test", but the parts are train, held_out'),
        ("#train:none", 'limits the part to "none" samples'),
        ("#train:0", 'limits the part to "0" samples'),
    ],
)
def test_a_part_that_there_is_not_is_refused(part, message, images):
    with pytest.raises(ConfigurationError, match=message):
        list(MnistReader().read(images + part))


def test_something_must_be_left_to_train_on():
    with pytest.raises(ConfigurationError, match="held_out_every must be at least 2 but is 1"):
        MnistReader(held_out_every=1)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = write_images(tmp_path, numpy.zeros((2, 2, 2)), [1])
    with pytest.raises(MalformedInputError, match="as many labels"):
        list(MnistReader().read(path))


@pytest.mark.parametrize("reader", [MnistReader(), NMnistReader(), SpokenDigitsReader()])
def test_embedded_data_need_no_file(reader):
    instances = list(reader.read("synthetic:size=3,seed=1"))
    assert [set(instance.fields) for instance in instances] == [{"inputs", "label", "metadata"}] * 3


def test_events_of_a_folder_are_read_digit_beside_digit(tmp_path):
    for number, (events, _) in enumerate(generate_events("synthetic:size=4,seed=1")):
        file = tmp_path / str(number % 2) / f"0000{number // 2}.bin"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(encode_events(events))
    assert labels(NMnistReader(), str(tmp_path)) == ["0", "1", "0", "1"]
    with pytest.raises(MalformedInputError, match="no folders with .bin files"):
        list(NMnistReader().read(str(tmp_path / "0")))


@pytest.mark.skipif(not RECORDING.exists(), reason="the recording is not there")
def test_a_recording_of_n_mnist_becomes_an_instance():
    (instance,) = NMnistReader().read(str(RECORDING))
    events = instance["inputs"].array
    assert events.shape == (4325, 2) and events.dtype == numpy.int64
    assert 0 <= events[:, 1].min() and events[:, 1].max() < 2 * 34 * 34


def test_images_become_recordings_as_of_a_moving_camera(tmp_path):
    digits = list(generate_digits("synthetic:size=4,seed=1"))
    pictures = numpy.stack([image for image, _ in digits])
    path = write_images(tmp_path, pictures, numpy.array([digit for _, digit in digits], "u1"))
    expected = list(NMnistReader().read("synthetic:size=4,seed=1"))
    instances = list(NMnistReader().read(path))
    assert len(instances) == 4
    for instance, other in zip(instances, expected, strict=True):
        assert (instance["inputs"].array == other["inputs"].array).all()
        assert instance["label"].label == other["label"].label
    assert samples(NMnistReader(held_out_every=3), f"{path}#held_out") == [0, 3]


def test_images_that_do_not_fit_before_the_camera_are_refused(tmp_path):
    path = write_images(tmp_path, numpy.zeros((2, 9, 12)), numpy.zeros(2, "u1"))
    with pytest.raises(MalformedInputError, match="9 x 12 pixels, where 28 x 28 become events"):
        list(NMnistReader().read(path))


def test_speakers_are_chosen_by_the_path():
    reader, path = SpokenDigitsReader(num_frames=7, num_channels=9), "synthetic:size=30,seed=1"
    instances = list(reader.read(f"{path}#low, high"))
    names = {i["metadata"].metadata["name"].split("_")[1] for i in instances}
    assert names == {"low", "high"} and len(instances) < 30
    assert [i["metadata"].metadata["sample"] for i in instances] == list(range(len(instances)))
    assert instances[0]["inputs"].array.shape == (7, 18)
    with pytest.raises(ConfigurationError, match="no recording of theo; its speakers are high"):
        list(reader.read(f"{path}#low,theo"))


@pytest.mark.skipif(not SPEECH.exists(), reason="the recordings are not there")
def test_the_free_spoken_digits_are_read_out_of_their_archive():
    instances = []
    for instance in SpokenDigitsReader().read(f"{SPEECH}#theo"):
        instances.append(instance)
        if len(instances) == 60:  # the rest is like these
            break
    assert [instance["label"].label for instance in instances] == ["0"] * 50 + ["1"] * 10
    assert instances[0]["metadata"].metadata["name"].split("_")[1] == "theo"
    assert all(0 < instance["inputs"].array.mean() < 1 for instance in instances)


def test_a_recording_with_another_name_is_refused(monkeypatch):
    module = "spigot_allennlp.data.dataset_readers.spoken_digits"
    recording = ("seven", 8000, numpy.ones(400))
    monkeypatch.setattr(f"{module}.generate_recordings", lambda spec: iter([_named(recording)]))
    with pytest.raises(MalformedInputError, match="named 'seven'. Names are digit_speaker"):
        list(SpokenDigitsReader().read("synthetic:"))


def _named(recording):
    from spigot_allennlp.data.formats.recordings import Recording

    return Recording(*recording)


def tone(frequency, seconds=0.4, rate=8000):
    return numpy.sin(2 * numpy.pi * frequency * numpy.arange(int(seconds * rate)) / rate)


def test_a_tone_is_loudest_in_its_band():
    bands = mel_bands(200, 8000, 20)
    frequencies = numpy.fft.rfftfreq(200, 1 / 8000)
    for frequency in (300.0, 1000.0, 3000.0):
        band = log_mel(tone(frequency), 8000, 10, 20).mean(axis=0).argmax()
        centre = (bands[band] * frequencies).sum() / bands[band].sum()
        assert centre == pytest.approx(frequency, rel=0.15)


def test_values_are_between_silence_and_the_loudest():
    signal = numpy.concatenate([tone(500, 0.2), numpy.zeros(1600)])
    features = log_mel(signal, 8000, 20, 12)
    assert features.shape == (20, 12) and features.dtype == numpy.float32
    assert features.max() == 1 and (features[-5:] == 0).all()


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


def test_on_and_off_channels_by_hand():
    features = numpy.array([[0.5, 0.2], [0.5, 0.4], [0.5, 0.9]], numpy.float32)
    expected = [[0, 0, 0, 0.6], [0, 0, 0, 0.2], [0, 0.8, 0, 0]]
    assert numpy.allclose(on_off_channels(features), expected)
