"""Puts a latent dependency tree in the middle of a sentence classifier."""

from typing import Any, Dict, List, Optional

from allennlp.common import Lazy
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.nn import InitializerApplicator, RegularizerApplicator
from torch import LongTensor, Tensor

from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.models.classification_model import ClassificationModel
from spigot_allennlp.models.parsing_model import unpadded
from spigot_allennlp.modules.graph_encoder import GraphEncoder
from spigot_allennlp.modules.pair_scorer import PairScorer
from spigot_allennlp.modules.sentence_classifier import SentenceClassifier
from spigot_allennlp.modules.sentence_encoder import SentenceEncoder


@Model.register("latent_tree_classifier")
class LatentTreeClassifier(ClassificationModel):
    """
    Chooses a dependency tree over the sentence, without training on a treebank, and classifies the
    sentence from its tokens and their heads. These are the latent trees with which
    [Mihaylova, Niculae & Martins (2020)](https://arxiv.org/abs/2010.02357) classify sentiment. The
    tree is trained by the classifier's loss alone. The feature of a token comes from the vector of
    its *head*; in the code published with that paper it comes from the token's own vector, times
    the number of its dependents.

    Registered as a `Model` with name "latent_tree_classifier".

    # Parameters

    vocab : `Vocabulary`
    encoder : `SentenceEncoder`
        The encoder of both the tree and the classifier.
    arc_scorer : `Lazy[PairScorer]`
    argmax : `StructuredArgmaxLayer`
        Its structure is a family of trees, "projective_tree" or "non_projective_tree".
    graph_encoder : `Lazy[GraphEncoder]`
    classifier : `Lazy[SentenceClassifier]`
    """

    default_predictor = "sentiment"

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: SentenceEncoder,
        arc_scorer: Lazy[PairScorer],
        argmax: StructuredArgmaxLayer,
        graph_encoder: Lazy[GraphEncoder],
        classifier: Lazy[SentenceClassifier],
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        regularizer: Optional[RegularizerApplicator] = None,
    ) -> None:
        super().__init__(vocab, regularizer)
        argmax.check_dimensions(("dependent", "head"), "latent_tree_classifier")
        dim = encoder.get_output_dim()
        self.encoder = encoder
        self.arc_scorer = arc_scorer.construct(input_dim=dim, num_outputs=1)
        self.argmax = argmax
        self.graph_encoder = graph_encoder.construct(input_dim=dim, num_labels=1)
        self.classifier = classifier.construct(
            input_dim=self.graph_encoder.output_dim, num_classes=self.num_classes
        )
        initializer(self)

    def forward(  # type: ignore[override]
        self,
        tokens: TextFieldTensors,
        label: Optional[LongTensor] = None,
        metadata: Optional[List[Dict[str, Any]]] = None,
        **other_layers: Any,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens : `TextFieldTensors`
        label : `LongTensor`, optional
            Shape `(batch_size,)`: the class of each sentence.
        metadata : `List[Dict[str, Any]]`, optional
        other_layers
            Other annotation of the sentences (a tree); ignored.
        """
        states, mask = self.encoder(tokens)
        # (batch_size, dependent, head)
        scores = self.arc_scorer(states, mask).squeeze(-1)

        def logits_of(tree: Tensor) -> Tensor:
            features = self.graph_encoder(states, tree.unsqueeze(-1))
            return self.classifier(features[:, 1:], mask[:, 1:])

        classified = self.classify_through(self.argmax, scores, mask, logits_of, label)
        output = {"logits": classified.logits, "mask": mask[:, 1:], "metadata": metadata}
        if not self.training:
            structure = self.argmax.structure
            tree = structure.argmax(scores, structure.part_mask(mask, scores.shape))
            output["heads"] = tree.argmax(dim=-1)[:, 1:]
        if classified.loss is not None:
            output["loss"] = classified.loss
        return output

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """Returns `label`, `probabilities`, and the best tree as `heads`, positions from 1."""
        heads = unpadded(output_dict["heads"], output_dict["mask"])
        return {**self.readable_classes(output_dict), "heads": heads}
