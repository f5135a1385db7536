"""Classifies with spiking neurons: the output neuron that fires most often gives the class."""

from typing import Any, Dict, List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from torch import LongTensor, Tensor

from spigot_allennlp.config_checks import check_namespace
from spigot_allennlp.metrics.class_scores import ClassScores
from spigot_allennlp.models.classification_model import LABELS
from spigot_allennlp.modules.image_distortion import ImageDistortion
from spigot_allennlp.modules.spike_encoding import SpikeEncoding
from spigot_allennlp.modules.spiking_layer import SpikeTrains
from spigot_allennlp.modules.spiking_network import SpikingNetwork
from spigot_allennlp.modules.spiking_objective import CountLoss, SampleBoosting
from spigot_allennlp.nn.spiking.psp import spike_train_psp


@Model.register("spiking_classifier")
class SpikingClassifier(Model):
    """
    Turns numbers into spikes, sends them through a network, and counts the spikes of its output
    neurons.

    `get_metrics` returns the `accuracy` and the `macro_f1` of `ClassScores`.

    Registered as a `Model` with name "spiking_classifier".

    # Parameters

    vocab : `Vocabulary`
    encoding : `SpikeEncoding`
    network : `SpikingNetwork`
        It needs at least one output neuron per class; further output neurons stand for no class.
    loss : `CountLoss`
    boosting : `SampleBoosting`, optional
        Gives hard training samples more weight. By default all weigh the same.
    distortion : `ImageDistortion`, optional
        Distorts the images of the training data, before they are encoded. By default none is.
    """

    default_predictor = "spiking"

    def __init__(
        self,
        vocab: Vocabulary,
        encoding: SpikeEncoding,
        network: SpikingNetwork,
        loss: CountLoss,
        boosting: Optional[SampleBoosting] = None,
        distortion: Optional[ImageDistortion] = None,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, regularizer)
        check_namespace(vocab, LABELS, "classes")
        num_classes = vocab.get_vocab_size(LABELS)
        if network.output_dim < num_classes:
            raise ConfigurationError(
                f"The network has {network.output_dim} output neurons for {num_classes} classes. "
                f'Give the last of its "layers" {num_classes} "units" at least.'
            )
        self.encoding = encoding
        self.network = network
        self.loss = loss
        self.boosting = boosting
        self.distortion = distortion
        if loss.lowers_zero_counts:
            network.gradient.guard_silent_neurons()
        self._scores = ClassScores(network.output_dim)
        initializer(self)

    def forward(  # type: ignore[override]
        self,
        inputs: Tensor,
        label: Optional[LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> Dict[str, Any]:
        """
        # Parameters

        inputs : `Tensor`
            The input of the encoding, `(batch_size, ...)`.
        label : `LongTensor`, optional
            Shape `(batch_size,)`.
        metadata : `List[Dict[str, Any]]`, optional
            The number `sample` of each instance, if an encoding or the boosting needs it.
        """
        samples = _samples(metadata, inputs)
        counts = self.run(inputs, metadata)[-1].counts
        output: Dict[str, Any] = {"counts": counts, "metadata": metadata}
        if label is not None:
            predicted = counts[:, : self.vocab.get_vocab_size(LABELS)].argmax(dim=1)
            self._scores(predicted, label)
            losses = self.loss(counts, label)
            if self.boosting is not None and self.training:
                if samples is None:
                    raise ConfigurationError(
                        "The boosting weighs samples by their numbers, but these have none. Let "
                        "the reader give each a number (`sample` in its metadata), or take "
                        '"boosting" out of the model.'
                    )
                losses = losses * self.boosting(samples, label, predicted)
            output["loss"] = losses.mean()
        return output

    def run(
        self, inputs: Tensor, metadata: Optional[List[Dict[str, Any]]] = None
    ) -> List[SpikeTrains]:
        """Returns the spike trains of the inputs, and of all layers from the first to the last."""
        if self.distortion is not None:
            inputs = self.distortion(inputs)
        trains = SpikeTrains.of(self.encoding(inputs, _samples(metadata, inputs)))
        return [trains, *self.network(trains)]

    def output_potentials(self, trains: List[SpikeTrains]) -> Tensor:
        """
        Returns the S-PSP (`nn/spiking/psp.py`) of each input of the output layer at each of its
        neurons, shape `(batch_size, num_inputs, num_neurons)`. `trains` is the result of `run`.
        """
        sent, fired = trains[-2].fired, trains[-1].fired
        return spike_train_psp(sent, fired, self.network.layers[-1].neurons)

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Adds the `label` of each sample, and the firing `counts` of all classes."""
        names = self.vocab.get_index_to_token_vocabulary(LABELS)
        counts = output_dict["counts"][:, : len(names)].long().tolist()
        return {
            "label": [names[row.index(max(row))] for row in counts],
            "counts": [{names[index]: count for index, count in enumerate(row)} for row in counts],
        }

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return self._scores.get_metric(reset)


def _samples(metadata: Optional[List[Dict[str, Any]]], inputs: Tensor) -> Optional[LongTensor]:
    numbers = [entry.get("sample") for entry in metadata or ()]
    if not numbers or None in numbers:
        return None
    return torch.tensor(numbers, device=inputs.device)
