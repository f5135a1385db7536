"""The reader of N-MNIST, and of other events in its format."""

from pathlib import Path
from typing import Any, Iterator, Optional, Tuple, Union

import numpy
from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import ArrayField, MetadataField

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.dataset_readers.class_field import ClassField
from spigot_allennlp.data.dataset_readers.data_path import (
    config_errors,
    is_synthetic,
    local_path,
    part_of,
)
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import RECORDINGS, Fault
from spigot_allennlp.data.formats.events import (
    CameraEvents,
    LabelledEvents,
    read_event_folder,
    read_events,
)
from spigot_allennlp.data.formats.idx import IMAGES, read_images
from spigot_allennlp.data.skipped_report import check_on_error, skip_faulty
from spigot_allennlp.data.synthetic.digits import SIZE, generate_events, render_events


@DatasetReader.register("n_mnist")
class NMnistReader(DatasetReader):
    """
    Reads recordings of events. The data path is a folder with a subfolder for each digit, as in
    N-MNIST (`Train/7/00015.bin`); or a single recording, without a label; or names embedded ones:
    `"synthetic:size=100,seed=1"`. It may also be a file of images of 28 x 28 pixels, such as
    `train-images-idx3-ubyte.gz` with the label file beside it: then the recordings are simulated,
    by a camera that moves in front of each image (see `render_events`).

    An instance has the fields `inputs`, `(num_events, 2)`: the time of each event in microseconds
    and its source (see `CameraEvents.sources`), -1 for padding; `label`; and `metadata`, with the
    number of the `sample`.

    Registered as a `DatasetReader` with name "n_mnist".

    # Parameters

    held_out_every : `int`, optional (default = `11`)
        The first of this many samples is held out. See `data_path.py` for how a data path names a
        part.
    on_error : `str`, optional (default = `"raise"`)
        What to do with a recording that cannot be read. `"raise"` ends the run, with file and
        reason. `"skip"` leaves it out, and warns at the end how many were left out and why; the
        others keep their numbers. With either, the run ends if nothing is left.
    """

    def __init__(self, held_out_every: int = 11, on_error: str = "raise", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_least(2, held_out_every=held_out_every)
        check_on_error(on_error, "recording")
        self._held_out_every = held_out_every
        self._on_error = on_error

    def _read(self, file_path: str) -> Iterator[Instance]:  # type: ignore[override]
        part = part_of(file_path)
        if IMAGES in Path(part.path).name:
            # rendered after the choice: a held-out part is a small share of a file
            for number, (image, digit) in part.select(_images(part.path), self._held_out_every):
                yield self.text_to_instance(render_events(image), str(digit), number)
            return
        samples = skip_faulty(_samples(part.path), part.path, self, self._on_error, RECORDINGS)
        for number, sample in part.select(samples, self._held_out_every):
            if sample is not None:
                yield self.text_to_instance(sample.events, sample.label, number)

    def text_to_instance(  # type: ignore[override]
        self, events: CameraEvents, label: Optional[str] = None, sample: Optional[int] = None
    ) -> Instance:
        """Returns the instance of a recording. The label is a digit as text: "0" to "9"."""
        inputs = numpy.stack([events.times, events.sources()], axis=1)
        instance = Instance({"inputs": ArrayField(inputs, padding_value=-1, dtype=numpy.int64)})
        if label is not None:
            instance.add_field("label", ClassField(label))
        instance.add_field("metadata", MetadataField({"sample": sample}))
        return instance


def _samples(path: str) -> Iterator[Union[LabelledEvents, MalformedInputError]]:
    if is_synthetic(path):
        with config_errors():
            for events, digit in generate_events(path):
                yield LabelledEvents(events, str(digit))
        return
    local = Path(local_path(path))
    if local.is_dir():
        yield from read_event_folder(local)
    else:
        yield LabelledEvents(read_events(local))


def _images(path: str) -> Iterator[Tuple[numpy.ndarray, int]]:
    local = local_path(path)
    images, labels = read_images(local)
    if images.shape[1:] != (SIZE, SIZE):
        rows, columns = images.shape[1:]
        detail = f"images of {rows} x {columns} pixels, where {SIZE} x {SIZE} become events"
        raise MalformedInputError(local, "byte 9", Fault.ARRAY_PAIR, detail)
    yield from zip(images, labels.tolist(), strict=True)
