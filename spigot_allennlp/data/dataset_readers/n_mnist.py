"""The reader of N-MNIST, and of other events in its format."""

from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional, Union

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import ArrayField, LabelField, MetadataField

from spigot_allennlp.data.dataset_readers.held_out import check_every, part_of
from spigot_allennlp.data.dataset_readers.recording_reader import RecordingReader
from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.event_format import Events, read_events
from spigot_allennlp.data.recordings import APPLE_DOUBLE
from spigot_allennlp.data.source import is_synthetic
from spigot_allennlp.data.synthetic.events import generate_events

SUFFIX = ".bin"


@DatasetReader.register("n_mnist")
class NMnistReader(RecordingReader):
    """
    The data path is a folder with a folder for each digit, as N-MNIST has it (`Train/7/00015.bin`);
    a single recording, without a label; or names embedded ones: `"synthetic:size=100,seed=1"`.

    An instance has the fields `inputs`, `(num_events, 2)`: the time of each event in microseconds
    and its source (see `Events.sources`), -1 for padding; `label`; and `metadata`, with the number
    of the `sample`.

    Registered as a `DatasetReader` with name "n_mnist".

    # Parameters

    held_out_every : `int`, optional (default = `11`)
        Of so many samples the first is held out. See `data/dataset_readers/held_out.py` for how a
        data path asks for a part.
    on_error : `str`, optional (default = `"raise"`)
        See `RecordingReader`. What is left out keeps its number.
    """

    def __init__(self, held_out_every: int = 11, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._held_out_every = check_every(held_out_every)

    def _read(self, file_path: str) -> Iterator[Instance]:  # type: ignore[override]
        part = part_of(file_path)
        samples = self._sound(part.path, _samples(part.path))
        for number, sample in part.select(samples, self._held_out_every):
            if sample is not None:
                yield self.text_to_instance(sample.events, sample.label, number)

    def text_to_instance(  # type: ignore[override]
        self, events: Events, label: Optional[str] = None, sample: Optional[int] = None
    ) -> Instance:
        """The digit, if there is one, is a word: "0" to "9"."""
        inputs = numpy.stack([events.times, events.sources()], axis=1)
        instance = Instance({"inputs": ArrayField(inputs, padding_value=-1, dtype=numpy.int64)})
        if label is not None:
            instance.add_field("label", LabelField(label))
        instance.add_field("metadata", MetadataField({"sample": sample}))
        return instance


class _Sample(NamedTuple):
    events: Events
    label: Optional[str] = None


def _samples(path: str) -> Iterator[Union[_Sample, MalformedInputError]]:
    if is_synthetic(path):
        try:
            for events, digit in generate_events(path):
                yield _Sample(events, str(digit))
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        return
    local = Path(cached_path(path))
    if local.is_dir():
        yield from _folder(local)
    else:
        yield _Sample(read_events(local))


def _folder(path: Path) -> Iterator[Union[_Sample, MalformedInputError]]:
    """Digit after digit would make the first ones of a part all of a kind: so by name."""
    files = [
        file
        for file in path.glob("*/*")
        if file.name.lower().endswith(SUFFIX) and not file.name.startswith(APPLE_DOUBLE)
    ]
    if not files:
        detail = f"it has no folders with {SUFFIX} files; give the folder Train or Test of N-MNIST"
        raise MalformedInputError(str(path), None, Fault.NO_INSTANCES, detail)
    for file in sorted(files, key=lambda file: (file.name, file.parent.name)):
        try:
            yield _Sample(read_events(file), file.parent.name)
        except MalformedInputError as error:
            # Whatever is wrong with a file, here it is a recording among others.
            detail = f"{error.fault.reason}: {error.detail}"
            yield MalformedInputError(str(file), error.place, Fault.RECORDING, detail)
