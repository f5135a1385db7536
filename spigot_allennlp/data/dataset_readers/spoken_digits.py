"""The reader of spoken digits, as energies in bands of frequency."""

from typing import Any, Iterator, NamedTuple, Optional, Union

import numpy
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import ArrayField, MetadataField

from spigot_allennlp.config_checks import PlainConfigurationError, check_least
from spigot_allennlp.data.dataset_readers.class_field import ClassField
from spigot_allennlp.data.dataset_readers.data_path import (
    config_errors,
    is_synthetic,
    local_path,
)
from spigot_allennlp.data.errors import MalformedInputError, attempt
from spigot_allennlp.data.faults import RECORDINGS, Fault
from spigot_allennlp.data.formats.recordings import Recording, read_recordings
from spigot_allennlp.data.skipped_report import check_on_error, skip_faulty
from spigot_allennlp.data.synthetic.speech import generate_recordings

WINDOW = 0.025  # seconds
# The range of audible levels below the loudest sound, in decibels.
RANGE = 50.0
# Anything below this energy is silence. It is that of a tone about 150 decibels below full scale.
SILENCE = 1e-12


@DatasetReader.register("spoken_digits")
class SpokenDigitsReader(DatasetReader):
    """
    Reads recordings of spoken digits. The data path is a folder or a tar archive (plain, or
    compressed with gzip, bzip2, xz or, where Python can read it, zstd) of WAV files named
    `digit_speaker_number.wav`, as in the Free Spoken Digit Dataset; or names embedded ones,
    `"synthetic:size=100,seed=1"`, with the speakers low, middle and high. After `#` it may name the
    speakers to read: `fsdd.tar.xz#george,lucas`.

    An instance has the fields `inputs`, from 0 to 1, `(num_frames, num_channels)`, or twice as many
    channels (see `log_mel` and `on_off_channels`); `label`, the digit; and `metadata`, with the
    number of the `sample` among those of the path, and its `name`.

    Registered as a `DatasetReader` with name "spoken_digits".

    # Parameters

    num_frames : `int`, optional (default = `50`)
        The number of frames, spread evenly over each recording.
    num_channels : `int`, optional (default = `40`)
    differences : `bool`, optional (default = `True`)
        Whether the inputs are differences from the mean of a channel instead of energies.
    on_error : `str`, optional (default = `"raise"`)
        What to do with a recording that cannot be read. `"raise"` ends the run, with file and
        reason. `"skip"` leaves it out, and warns at the end how many were left out and why. With
        either, the run ends if nothing is left, or if the archive is damaged.
    """

    def __init__(
        self,
        num_frames: int = 50,
        num_channels: int = 40,
        differences: bool = True,
        on_error: str = "raise",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_least(1, num_frames=num_frames, num_channels=num_channels)
        check_on_error(on_error, "recording")
        self._on_error = on_error
        self._num_frames = num_frames
        self._num_channels = num_channels
        self._differences = differences

    def _read(self, file_path: str) -> Iterator[Instance]:  # type: ignore[override]
        path, _, wanted = str(file_path).partition("#")
        speakers = [name.strip() for name in wanted.split(",") if name.strip()]
        recordings = skip_faulty(_recordings(path), path, self, self._on_error, RECORDINGS)
        number, known = 0, set()
        for spoken in recordings:
            if spoken is None:
                # A skipped recording also has a number, unless its speaker must be known.
                number += not speakers
                continue
            known.add(spoken.speaker)
            if not speakers or spoken.speaker in speakers:
                yield self.text_to_instance(spoken.recording, spoken.digit, number)
                number += 1
        unknown = sorted(set(speakers) - known)
        if unknown:
            raise PlainConfigurationError(
                f"{path} has no recording of {', '.join(unknown)}; its speakers are "
                f"{', '.join(sorted(known))}."
            )

    def text_to_instance(  # type: ignore[override]
        self, recording: Recording, digit: Optional[str] = None, sample: Optional[int] = None
    ) -> Instance:
        """
        Returns the instance of a recording.

        # Parameters

        recording : `Recording`
        digit : `str`, optional
        sample : `int`, optional
            The number of the recording in the data path.
        """
        inputs = log_mel(recording.signal, recording.rate, self._num_frames, self._num_channels)
        if self._differences:
            inputs = on_off_channels(inputs)
        instance = Instance({"inputs": ArrayField(inputs, dtype=numpy.float32)})
        if digit is not None:
            instance.add_field("label", ClassField(digit))
        metadata = {"sample": sample, "name": recording.name}
        instance.add_field("metadata", MetadataField(metadata))
        return instance


class _Spoken(NamedTuple):
    """A recording, with the digit and the speaker from its name."""

    recording: Recording
    digit: str
    speaker: str


def _recordings(path: str) -> Iterator[Union[_Spoken, MalformedInputError]]:
    if is_synthetic(path):
        with config_errors():
            for recording in generate_recordings(path):
                yield attempt(_named, recording, path)
    else:
        for result in read_recordings(local_path(path)):
            yield attempt(_named, result, path)


def _named(recording: Recording, path: str) -> _Spoken:
    parts = recording.name.split("_")
    if len(parts) != 3 or not (parts[0].isascii() and parts[0].isdigit() and parts[1]):
        detail = f"it is named {recording.name[:200]!r}"
        place = f"member {recording.name[:200]}"
        raise MalformedInputError(path, place, Fault.RECORDING_NAME, detail)
    return _Spoken(recording, parts[0], parts[1])


def log_mel(signal: numpy.ndarray, rate: int, num_frames: int, num_channels: int) -> numpy.ndarray:
    """
    Returns the logarithm of the energy in each frequency band, on the mel scale, from 0 (`RANGE`
    below the loudest, or less) to 1 (the loudest), in windows of 25 ms that are spread evenly over
    the signal. So all recordings have the same number of windows, whether spoken fast or slowly.
    Silence is 0, even if there is nothing else.

    # Parameters

    signal : `numpy.ndarray`
        Shape `(num_samples,)`; not empty.
    rate : `int`
        Samples per second.
    num_frames : `int`
    num_channels : `int`
        From 100 Hz to the highest frequency in the signal.

    # Returns

    `numpy.ndarray`
        Shape `(num_frames, num_channels)`, single precision.

    # Raises

    `ValueError` if there are no samples, or one is not finite.
    """
    if not len(signal) or not numpy.isfinite(signal).all():
        fault = "no sample" if not len(signal) else "a sample that is no finite number"
        raise ValueError(f"The signal has {fault}; give the samples of a recording, from -1 to 1.")
    width = int(WINDOW * rate)
    padded = numpy.pad(signal, (0, max(0, width - len(signal))))
    starts = numpy.linspace(0, len(padded) - width, num_frames).astype(int)
    frames = padded[starts[:, None] + numpy.arange(width)] * numpy.hanning(width)
    power = numpy.abs(numpy.fft.rfft(frames, axis=1)) ** 2
    energy = power @ mel_bands(width, rate, num_channels).T
    decibels = 10 * numpy.log10(numpy.maximum(energy, SILENCE))
    heard = numpy.clip(1 + (decibels - decibels.max()) / RANGE, 0, 1)
    return numpy.where(energy > SILENCE, heard, 0).astype(numpy.float32)


def on_off_channels(features: numpy.ndarray) -> numpy.ndarray:
    """
    Returns by how much each band is louder than its mean over the recording, then by how much it is
    quieter: twice the difference, from 0 to 1, shape `(num_frames, 2 * num_channels)`. This removes
    the effect of the voice and the microphone, which color the whole recording.
    """
    difference = 2 * (features - features.mean(axis=0))
    return numpy.clip(numpy.concatenate([difference, -difference], axis=1), 0, 1)


def mel_bands(width: int, rate: int, num_channels: int) -> numpy.ndarray:
    """
    Returns the weights of the `rfft` frequencies in each band: overlapping triangles, shape
    `(num_channels, width // 2 + 1)`.
    """
    low, high = _mel(100.0), _mel(rate / 2)
    corners = 700 * (10 ** (numpy.linspace(low, high, num_channels + 2) / 2595) - 1)
    # no band is so narrow that it falls between two frequencies
    apart = numpy.maximum(numpy.diff(corners), rate / width)
    distance = numpy.fft.rfftfreq(width, 1 / rate) - corners[1:-1, None]
    rising, falling = 1 + distance / apart[:-1, None], 1 - distance / apart[1:, None]
    return numpy.clip(numpy.minimum(rising, falling), 0, None)


def _mel(frequency: float) -> float:
    return 2595 * float(numpy.log10(1 + frequency / 700))
