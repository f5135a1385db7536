"""Predicts the class of a sample with spiking neurons, and shows how they arrived at it."""

import inspect
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict
from allennlp.data import Batch, DatasetReader, Instance
from allennlp.models import Model
from allennlp.nn import util
from allennlp.predictors import Predictor

from spigot_allennlp.data.formats.idx import as_bytes
from spigot_allennlp.modules.spiking_layer import SpikeTrains
from spigot_allennlp.predictors.line_predictor import InputLine, shown
from spigot_allennlp.predictors.pictures import PicturingPredictor

KEYS = ("image", "sample")


class SpikingOutput(dict):
    """The output of a sample, with the spike trains of its batch until pictures are drawn."""

    def __init__(self, output: JsonDict, trains: List[SpikeTrains], place: int) -> None:
        super().__init__(output)
        self.trains: List[SpikeTrains] = trains
        self.place = place


@Predictor.register("spiking")
class SpikingPredictor(PicturingPredictor):
    """
    Classifies samples with a spiking classifier. With `--use-dataset-reader` the input is whatever
    the model's reader reads. Otherwise it is JSON lines with an `image`, rows of whole numbers from
    0 to 255, for a reader of images. An encoding with a seed distinguishes samples by their
    numbers: the number of a line is its place among the lines, from 0, as in a file of images, or
    its `sample`.

    The output has, per sample, its `label`, the firing `counts` of all classes and, for each layer,
    the inputs first, the `mean_counts` of its neurons. If a folder is given, pictures are written
    into it:

    ```
    allennlp predict ARCHIVE DATA --use-dataset-reader --silent --output-file OUT \\
      --predictor-args '{"pictures": "FOLDER"}'
    ```

    There is a raster for each of the first samples, `raster-1.png` for line 1, and
    `firing_rates.png`, the histograms over all samples, which `finish` draws.

    Registered as a `Predictor` with name "spiking".

    # Parameters

    model : `Model`
        A `SpikingClassifier`.
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    pictures : `str`, optional
        See `PicturingPredictor`.
    num_rasters : `int`, optional (default = `10`)
        How many samples get a raster.
    details : `bool`, optional (default = `False`)
        Whether the output has the `spikes` of each layer, as pairs of step and neuron, and the
        `potentials` of the output layer: the S-PSP (`nn/spiking/psp.py`) of each of its inputs at
        each of its neurons.
    on_error : `str`, optional (default = `"raise"`)
        See `LinePredictor`.
    """

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        pictures: Optional[str] = None,
        num_rasters: int = 10,
        details: bool = False,
        on_error: str = "raise",
    ) -> None:
        super().__init__(model, dataset_reader, frozen, on_error, pictures)
        self._num_rasters = num_rasters
        self._details = details
        self._num_inputs = 0
        self._num_steps = 0
        self._counts: List[List[numpy.ndarray]] = []  # per sample, of each layer

    def batches(self, instances: List[Instance]) -> List[List[int]]:
        # An image of the wrong size, padded to the size of others in its batch, would seem right.
        by_size: Dict[int, List[int]] = {}
        for position, instance in enumerate(instances):
            size = instance["inputs"].array.shape[-1]  # type: ignore[attr-defined]
            by_size.setdefault(size, []).append(position)
        return list(by_size.values())

    def run(self, instances: List[Instance]) -> List[JsonDict]:
        batch = Batch(instances)
        batch.index_instances(self._model.vocab)
        with torch.no_grad():
            device = self._model._get_prediction_device()
            tensors = util.move_to_device(batch.as_tensor_dict(), device)
            trains = self._model.run(tensors["inputs"], tensors["metadata"])
            readable = self._model.make_output_human_readable({"counts": trains[-1].counts})
        outputs = [
            {name: values[number] for name, values in readable.items()}
            for number in range(len(instances))
        ]
        for number, output in enumerate(outputs):
            output["mean_counts"] = [float(layer.counts[number].mean()) for layer in trains]
            if self._details:
                output.update(self._details_of(trains, number))
        if self._pictures is None:
            return outputs
        return [SpikingOutput(output, trains, place) for place, output in enumerate(outputs)]

    def check(self, inputs: Any) -> None:
        if "image" not in inputs:
            raise ConfigurationError(
                f'The input has no "image" but {sorted(inputs)[:10]}. Give its rows of bytes, or a '
                "file of the reader's, with --use-dataset-reader."
            )
        unknown = sorted(inputs.keys() - set(KEYS))
        if unknown:
            raise ConfigurationError(
                f"unknown keys {shown(repr(unknown))}; the keys are {list(KEYS)}"
            )

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        number = json_dict.number - 1 if isinstance(json_dict, InputLine) else self._num_inputs
        self._num_inputs += 1
        arguments = inspect.signature(self._dataset_reader.text_to_instance).parameters
        if "image" not in arguments:
            raise ConfigurationError(
                f"The model's reader, {type(self._dataset_reader).__name__}, reads no images. Give "
                "a file of the reader's, with --use-dataset-reader."
            )
        sample = json_dict.get("sample", number)
        if type(sample) is not int or not 0 <= sample < 2**63:
            raise ConfigurationError(
                f'"sample" is {str(sample)[:100]!r}, but must be a whole number from 0 on.'
            )
        metadata = {"sample": sample} if "sample" in arguments else {}
        try:
            image = as_bytes(json_dict["image"])
            return self._dataset_reader.text_to_instance(image, **metadata)  # type: ignore[call-arg]
        except ValueError as error:
            raise ConfigurationError(f'"image" of sample {sample}: {error}') from error

    def _details_of(self, trains: List[SpikeTrains], number: int) -> Dict[str, Any]:
        spikes = [layer.fired[number].nonzero().tolist() for layer in trains]
        potentials = self._model.output_potentials(trains)[number].tolist()
        return {"spikes": spikes, "potentials": potentials}

    def draw(self, folder: Path, number: int, output: JsonDict) -> None:
        from spigot_allennlp.predictors import spike_plots  # importing matplotlib is slow

        assert isinstance(output, SpikingOutput)
        trains, place, output.trains = output.trains, output.place, []
        self._num_steps = trains[0].spikes.size(1)
        self._counts.append([layer.counts[place].cpu().numpy() for layer in trains])
        if number <= self._num_rasters:
            spike_plots.raster(
                [layer.fired[place].cpu().numpy() for layer in trains],
                self._layer_names(),
                list(output["counts"]),
                f"sample {number}: {output['label']}",
                folder / f"raster-{number}.png",
            )

    def draw_all(self, folder: Path) -> None:
        from spigot_allennlp.predictors import spike_plots

        if self._counts:
            counts = [numpy.stack(layer) for layer in zip(*self._counts, strict=True)]
            path = folder / "firing_rates.png"
            spike_plots.firing_rates(counts, self._layer_names(), self._num_steps, path)

    def _layer_names(self) -> List[str]:
        last = len(self._counts[0]) - 1
        return ["inputs", *(f"layer {layer}" for layer in range(1, last)), "output"]
