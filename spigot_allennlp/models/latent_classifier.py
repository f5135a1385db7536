"""Puts a latent category in the middle of a linear classifier."""

from typing import Any, Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from torch import LongTensor, Tensor

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.metrics.v_measure import VMeasure
from spigot_allennlp.models.classification_model import ClassificationModel


@Model.register("latent_classifier")
class LatentClassifier(ClassificationModel):
    """
    Chooses one of a few categories for every point with a linear map, and classifies the point with
    the linear classifier of that category. This is the synthetic benchmark of
    [Mihaylova, Niculae & Martins (2020)](https://arxiv.org/abs/2010.02357), section 4.1. The right
    category is not given, so the choice has to be learned from the classifier's loss, through the
    argmax.

    `get_metrics` returns `accuracy` and `macro_f1` of the classes, and the agreement of the
    categories with the clusters from which the points were sampled: `v_measure`, `homogeneity`,
    `completeness`.

    Registered as a `Model` with name "latent_classifier".

    # Parameters

    vocab : `Vocabulary`
    argmax : `StructuredArgmaxLayer`
        Its structure is "categorical".
    num_categories : `int`, optional (default = `3`)
        With 1 there is nothing to choose, and the model is a linear classifier.
    num_clusters : `int`, optional (default = `num_categories`)
        How many clusters the data have.
    input_dim : `int`, optional (default = `100`)
    gold : `bool`, optional (default = `False`)
        Whether the classifier gets the true cluster in place of the category, which shows how well
        it could do. There must then be as many categories as clusters.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        argmax: StructuredArgmaxLayer,
        num_categories: int = 3,
        num_clusters: Optional[int] = None,
        input_dim: int = 100,
        gold: bool = False,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, regularizer)
        check_least(1, num_categories=num_categories, num_clusters=num_clusters)
        if gold and num_clusters not in (None, num_categories):
            raise ConfigurationError(
                f"gold gives the classifier the true cluster, of which there are {num_clusters}, "
                f"but num_categories is {num_categories}. Make them equal, or leave gold out."
            )
        self.argmax = argmax
        self.scorer = torch.nn.Linear(input_dim, num_categories)
        self.classifier = torch.nn.Bilinear(num_categories, input_dim, self.num_classes)
        self._gold = gold
        self._agreement = VMeasure(num_categories, num_clusters or num_categories)
        initializer(self)

    def forward(  # type: ignore[override]
        self,
        features: Tensor,
        label: Optional[LongTensor] = None,
        cluster: Optional[LongTensor] = None,
    ) -> Dict[str, Any]:
        """
        # Parameters

        features : `Tensor`
            Shape `(batch_size, input_dim)`.
        label : `LongTensor`, optional
            Shape `(batch_size,)`: the class of each point.
        cluster : `LongTensor`, optional
            Shape `(batch_size,)`: the cluster from which each point was sampled, for comparison
            with the category.
        """
        # (batch_size, num_categories)
        scores = self.scorer(features)

        # The logits of each category's classifier: (batch_size, num_classes, num_categories)
        opinions = self._opinions(features)

        def logits_of(category: Tensor) -> Tensor:
            chosen = opinions.matmul(category.unsqueeze(-1)).squeeze(-1)
            return chosen + self.classifier.bias

        if self._gold:
            category = self._known_clusters(cluster)
            one_hot = torch.nn.functional.one_hot(category, scores.size(-1))
            classified = self.classify(logits_of(one_hot.to(features.dtype)), label)
        else:
            category = scores.argmax(dim=-1)
            mask = torch.ones_like(scores, dtype=torch.bool)
            classified = self.classify_through(self.argmax, scores, mask, logits_of, label)
        if cluster is not None:
            self._agreement(category, cluster)
        output = {"logits": classified.logits, "category": category}
        return output if classified.loss is None else {**output, "loss": classified.loss}

    def _opinions(self, features: Tensor) -> Tensor:
        """
        Applies the bilinear map to the points only, which is many times faster than `Bilinear`.
        """
        num_classes, num_categories, _ = self.classifier.weight.shape
        flat = torch.nn.functional.linear(features, self.classifier.weight.flatten(0, 1))
        return flat.view(-1, num_classes, num_categories)

    def _known_clusters(self, cluster: Optional[LongTensor]) -> LongTensor:
        """Returns the clusters. Raises a `ConfigurationError` if the instances have none."""
        if cluster is None:
            raise ConfigurationError(
                "gold is set, but the instances have no cluster. Read them with clusters, or leave "
                "gold out."
            )
        return cluster

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Returns `label` and `probabilities` of the classes, and the number of the `category`."""
        category = output_dict["category"].tolist()
        return {**self.readable_classes(output_dict), "category": category}

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return {**super().get_metrics(reset), **self._agreement.get_metric(reset)}
