"""Reads images pixel by pixel: MNIST and other data in idx files."""

from typing import Any, Dict, Iterator, Optional, Tuple

import numpy
from allennlp.data import DatasetReader, Instance

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.dataset_readers.class_field import ClassField
from spigot_allennlp.data.dataset_readers.data_path import local_path, part_of
from spigot_allennlp.data.dataset_readers.sequence_reader import SequenceReader, vector_fields
from spigot_allennlp.data.formats.idx import as_bytes, read_images

#: The classes of generated images: a line in one of four directions, or a circle.
SHAPES = ("lying", "standing", "falling", "rising", "ring")
# The maximum noise of a pixel in such an image, out of 255.
_NOISE = 40


@DatasetReader.register("pixel_sequence")
class PixelSequenceReader(SequenceReader):
    """
    Reads images as sequences of pixels, row by row or, with a `permutation_seed`, in a random order
    that is the same for all ([Le et al., 2015](https://arxiv.org/abs/1504.00941)).

    A data path is an image file, such as `train-images-idx3-ubyte.gz`, with the label file,
    `train-labels-idx1-ubyte.gz`, beside it, or a part of it (see `data_path.py`); or
    `"synthetic:size=2000,seed=1"`, images of bars and rings, also with `image_size=16` (default 8).
    The fields are `inputs`, shape `(pixels, 1)`, from 0 to 1; their `mask`; and `label`.

    Registered as a `DatasetReader` with name "pixel_sequence".

    # Parameters

    downsample : `int`, optional (default = `1`)
        The side of the pixel squares that are averaged into one pixel each. Pixels left over at the
        right and at the bottom are cut off.
    permutation_seed : `int`, optional (default = `None`)
        The seed of the random order of the pixels; `None` for no reordering.
    held_out_every : `int`, optional (default = `11`)
        The first of this many images of a file is held out: 5455 of 60,000. See `data_path.py` for
        how a data path names a part. Choose an odd number: in the training data of MNIST, every
        other image is from the harder half of the writers.
    """

    _least_settings = {"image_size": 4}

    def __init__(
        self,
        downsample: int = 1,
        permutation_seed: Optional[int] = None,
        held_out_every: int = 11,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_least(1, downsample=downsample)
        check_least(0, permutation_seed=permutation_seed)
        check_least(2, held_out_every=held_out_every)
        self._downsample = downsample
        self._permutation_seed = permutation_seed
        self._held_out_every = held_out_every

    def _generate(self, random: numpy.random.Generator, settings: Dict[str, int]) -> Dict[str, Any]:
        image, label = sample_shape(random, settings.get("image_size", 8))
        return {"image": image, "label": str(label)}

    def _read_file(self, path: str) -> Iterator[Dict[str, Any]]:
        part = part_of(path)
        images, labels = read_images(local_path(part.path))
        samples = zip(images, labels, strict=True)
        for _, (image, label) in part.select(samples, self._held_out_every):
            yield {"image": image, "label": str(label)}

    def text_to_instance(  # type: ignore[override]
        self, image: numpy.ndarray, label: Optional[str] = None
    ) -> Instance:
        """
        Returns the instance of an image.

        # Parameters

        image : `numpy.ndarray`
            Integers from 0 to 255, shape `(rows, columns)`.
        label : `str`, optional

        # Raises

        `ValueError` if a pixel is not a byte, or the image does not have two dimensions or is
        smaller than a square of `downsample` pixels.
        """
        image = as_bytes(image)
        side = self._downsample
        if image.ndim != 2 or min(image.shape) < side:
            raise ValueError(
                f"An image has shape {list(image.shape)}, but must have rows and columns, and at "
                f"least {side} (downsample) of each."
            )
        rows, columns = (size // side for size in image.shape)
        squares = image[: rows * side, : columns * side].reshape(rows, side, columns, side)
        pixels = (squares.mean(axis=(1, 3)) / 255).astype(numpy.float32).reshape(-1, 1)
        if self._permutation_seed is not None:
            order = numpy.random.default_rng(self._permutation_seed).permutation(len(pixels))
            pixels = pixels[order]
        instance = Instance(vector_fields(pixels))
        if label is not None:
            instance.add_field("label", ClassField(label))
        return instance


def sample_shape(generator: numpy.random.Generator, size: int) -> Tuple[numpy.ndarray, int]:
    """
    Samples a noisy image of a bar or ring, as unsigned bytes of shape `(size, size)`. Returns it
    with its class, an index into `SHAPES`.
    """
    label = int(generator.integers(len(SHAPES)))
    row, column = generator.integers(1, size - 1, 2)
    rows, columns = numpy.indices((size, size))
    distances = {
        "lying": abs(rows - row),
        "standing": abs(columns - column),
        "falling": abs((rows - row) - (columns - column)),
        "rising": abs((rows - row) + (columns - column)),
        "ring": abs(numpy.hypot(rows - row, columns - column) - size / 4),
    }
    ink = 255 * (distances[SHAPES[label]] < 0.7)
    noise = generator.integers(-_NOISE, _NOISE + 1, (size, size))
    return numpy.clip(ink + noise, 0, 255).astype(numpy.uint8), label
