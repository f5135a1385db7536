"""The reader of spoken digits, as energies in bands of frequency."""

from typing import Any, Iterator, NamedTuple, Optional, Union

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import ArrayField, LabelField, MetadataField

from spigot_allennlp.data.dataset_readers.recording_reader import RecordingReader
from spigot_allennlp.data.errors import Fault, MalformedInputError, attempt
from spigot_allennlp.data.recordings import Recording, read_recordings
from spigot_allennlp.data.source import is_synthetic
from spigot_allennlp.data.speech_features import log_mel, rise_and_fall
from spigot_allennlp.data.synthetic.speech import generate_recordings


@DatasetReader.register("spoken_digits")
class SpokenDigitsReader(RecordingReader):
    """
    The data path is a folder or a tar archive (also .gz, .bz2, .xz) of WAV files that are named
    `digit_speaker_number.wav`, as those of the Free Spoken Digit Dataset; or names embedded ones,
    `"synthetic:size=100,seed=1"`, whose speakers are low, middle and high. After `#` it may name
    the speakers that are wanted: `fsdd.tar.xz#george,lucas`.

    An instance has the fields `inputs`, from 0 to 1, `(num_frames, num_channels)`, or twice as many
    channels (see `log_mel` and `rise_and_fall`); `label`, the digit; and `metadata`, with the
    number of the `sample` among those of the path, and its `name`.

    Registered as a `DatasetReader` with name "spoken_digits".

    # Parameters

    num_frames : `int`, optional (default = `50`)
        Spread evenly over each recording.
    num_channels : `int`, optional (default = `40`)
    differences : `bool`, optional (default = `True`)
        Whether the inputs are the differences from the mean of a channel, or the energies.
    on_error : `str`, optional (default = `"raise"`)
        See `RecordingReader`.
    """

    def __init__(
        self,
        num_frames: int = 50,
        num_channels: int = 40,
        differences: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("num_frames", num_frames), ("num_channels", num_channels)):
            if value < 1:
                raise ConfigurationError(f"{name} must be at least 1 but found {value}.")
        self._num_frames = num_frames
        self._num_channels = num_channels
        self._differences = differences

    def _read(self, file_path: str) -> Iterator[Instance]:  # type: ignore[override]
        path, _, wanted = str(file_path).partition("#")
        speakers = [name.strip() for name in wanted.split(",") if name.strip()]
        number, heard = 0, set()
        for spoken in self._sound(path, _recordings(path)):
            if spoken is None:
                number += not speakers
                continue
            heard.add(spoken.speaker)
            if not speakers or spoken.speaker in speakers:
                yield self.text_to_instance(spoken.recording, spoken.digit, number)
                number += 1
        unknown = sorted(set(speakers) - heard)
        if unknown:
            raise ConfigurationError(
                f"{path} has no recording of {', '.join(unknown)}; its speakers are "
                f"{', '.join(sorted(heard))}."
            )

    def text_to_instance(  # type: ignore[override]
        self, recording: Recording, digit: Optional[str] = None, sample: Optional[int] = None
    ) -> Instance:
        """The `digit`, if it is known, and the number of the `sample`."""
        _, rate, signal = recording
        inputs = log_mel(signal, rate, self._num_frames, self._num_channels)
        if self._differences:
            inputs = rise_and_fall(inputs)
        instance = Instance({"inputs": ArrayField(inputs, dtype=numpy.float32)})
        if digit is not None:
            instance.add_field("label", LabelField(digit))
        metadata = {"sample": sample, "name": recording.name}
        instance.add_field("metadata", MetadataField(metadata))
        return instance


class _Spoken(NamedTuple):
    """A recording, and what its name says of it."""

    recording: Recording
    digit: str
    speaker: str


def _recordings(path: str) -> Iterator[Union[_Spoken, MalformedInputError]]:
    if is_synthetic(path):
        try:
            for recording in generate_recordings(path):
                yield attempt(_named, recording, path)
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
    else:
        for result in read_recordings(cached_path(path)):
            yield attempt(_named, result, path)


def _named(recording: Recording, path: str) -> _Spoken:
    parts = recording.name.split("_")
    if len(parts) != 3 or not (parts[0].isascii() and parts[0].isdigit() and parts[1]):
        detail = f"it is named {recording.name[:200]!r}"
        place = f"member {recording.name[:200]}"
        raise MalformedInputError(path, place, Fault.RECORDING_NAME, detail)
    return _Spoken(recording, parts[0], parts[1])
