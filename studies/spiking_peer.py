"""
MNIST with a spiking network of snnTorch: what HM2-BP is compared with in `docs/results/spiking.md`.

`allennlp train studies/spiking_peer.jsonnet --include-package studies.spiking_peer -s FOLDER` has
the network, the data, the spikes, the loss and the trainer of `spiking/mnist_100_steps`, but
neurons, unrolling in time and surrogate gradient are snnTorch's, which has to be installed.
"""

from typing import Any, Dict, List, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.models import Model
from torch import LongTensor, Tensor

from benchmarks.spiking_step import SnnTorchNetwork
from spigot_allennlp.metrics.class_scores import ClassScores
from spigot_allennlp.modules.spike_encoding import SpikeEncoding
from spigot_allennlp.modules.spiking_objective import CountLoss

# Time constants of membranes and synapses, in steps: those of our networks.
_MEMBRANE, _SYNAPSE = 64.0, 8.0


@Model.register("snntorch_classifier")
class SnnTorchClassifier(Model):
    """
    Counts the spikes of the output neurons of a fully connected network of snnTorch.

    All thresholds are 1, as is usual with snnTorch, and weights begin between plus and minus
    `weight_range`: the same network as ours, in other units.

    # Parameters

    vocab : `Vocabulary`
    encoding : `SpikeEncoding`
    loss : `CountLoss`
    sizes : `List[int]`
        The numbers of inputs, and of the neurons of each layer.
    weight_ranges : `List[float]`
        One for each layer.
    slope : `float`, optional (default = `25.0`)
        Of the surrogate gradient, a fast sigmoid; the default is snnTorch's.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoding: SpikeEncoding,
        loss: CountLoss,
        sizes: List[int],
        weight_ranges: List[float],
        slope: float = 25.0,
    ) -> None:
        super().__init__(vocab)
        self.encoding = encoding
        self.loss = loss
        thresholds = [1 / _SYNAPSE] * len(weight_ranges)
        self.network = SnnTorchNetwork(sizes, thresholds, _MEMBRANE, _SYNAPSE, slope)
        for weights, largest in zip(self.network.weights, weight_ranges, strict=True):
            torch.nn.init.uniform_(weights.weight, -largest, largest)
        self._scores = ClassScores(sizes[-1])

    def forward(  # type: ignore[override]
        self,
        inputs: Tensor,
        label: LongTensor,
        metadata: Optional[List[Dict[str, Any]]] = None,
    ) -> Dict[str, Tensor]:
        """Returns the `loss` and the `counts` of `inputs`, shape `(batch_size, sizes[0])`."""
        del metadata
        counts = self.network(self.encoding(inputs).float())
        self._scores(counts.argmax(dim=1), label)
        return {"counts": counts, "loss": self.loss(counts, label).mean()}

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return self._scores.get_metric(reset)
