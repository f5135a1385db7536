"""The reader of MNIST, and of data in its format."""

from typing import Iterator, Optional, Tuple

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
from spigot_allennlp.data.formats.idx import as_bytes, read_images
from spigot_allennlp.data.synthetic.digits import generate_digits


@DatasetReader.register("mnist")
class MnistReader(DatasetReader):
    """
    Reads images. The data path is the image file, plain or compressed, with the label file beside
    it (`train-images-idx3-ubyte.gz` and `train-labels-idx1-ubyte.gz`), or names embedded digits:
    `"synthetic:size=500,seed=1"`.

    An instance has the fields `inputs`, the bytes of the image row by row; `label`, from "0" on;
    and `metadata`, with the number of the `sample` in its file.

    Registered as a `DatasetReader` with name "mnist".

    # Parameters

    held_out_every : `int`, optional (default = `11`)
        The first of this many samples is held out: 5455 of 60,000. See `data_path.py` for how a
        data path names a part. Choose an odd number: in the training data of MNIST, every other
        image is from the harder half of the writers.
    """

    def __init__(self, held_out_every: int = 11, **kwargs) -> None:
        super().__init__(**kwargs)
        check_least(2, held_out_every=held_out_every)
        self._held_out_every = held_out_every

    def _read(self, file_path: str) -> Iterator[Instance]:  # type: ignore[override]
        part = part_of(file_path)
        for number, (image, label) in part.select(_samples(part.path), self._held_out_every):
            yield self.text_to_instance(image, str(label), number)

    def text_to_instance(  # type: ignore[override]
        self, image: numpy.ndarray, label: Optional[str] = None, sample: Optional[int] = None
    ) -> Instance:
        """
        Returns the instance of an image.

        # Parameters

        image : `numpy.ndarray`
            Integers from 0 to 255, in any shape.
        label : `str`, optional
        sample : `int`, optional

        # Raises

        `ValueError` if the image is empty, or a pixel is not a byte.
        """
        # a contiguous copy, so an instance does not keep the whole file in memory
        pixels = numpy.array(as_bytes(image)).reshape(-1)
        instance = Instance({"inputs": ArrayField(pixels)})
        if label is not None:
            instance.add_field("label", ClassField(label))
        instance.add_field("metadata", MetadataField({"sample": sample}))
        return instance


def _samples(path: str) -> Iterator[Tuple[numpy.ndarray, int]]:
    if is_synthetic(path):
        with config_errors():
            yield from generate_digits(path)
    else:
        images, labels = read_images(local_path(path))
        yield from zip(images, labels.tolist(), strict=True)
