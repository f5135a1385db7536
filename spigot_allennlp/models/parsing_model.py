"""Defines what parsers share: losses, and conversion between sentences and padded batches."""

import logging
import unicodedata
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.nn import RegularizerApplicator, util
from torch import BoolTensor, Tensor

from spigot_allennlp.metrics.outside_structure import OutsideStructure
from spigot_allennlp.metrics.pruned_gold import PrunedGold
from spigot_allennlp.models.pruner import Pruner
from spigot_allennlp.modules.sentence_encoder import SentenceEncoder
from spigot_allennlp.modules.structured_loss import StructuredLoss
from spigot_allennlp.nn.length_groups import length_groups
from spigot_allennlp.structures.structure import Structure

logger = logging.getLogger(__name__)

CARRIED = ("id", "words", "lemmas", "pos")
# These fields of our readers hold what a model has to predict.
GOLD_FIELDS = ("heads", "relations", "graph", "tops", "label")
UNKNOWN = 1  # the out-of-vocabulary index of every padded namespace


class GoldLosses(NamedTuple):
    """
    The losses of a batch of sentences against their gold trees or graphs.

    # Parameters

    losses : `Tensor`
        The loss of each sentence, shape `(batch_size,)`; 0 where it is not `counted`.
    counted : `BoolTensor`
        Of the same shape: whether the gold object of each sentence is in the parser's structure. If
        not, it is left out of the loss (and is an error in training), but not of the metrics.
    """

    losses: Tensor
    counted: BoolTensor

    def mean(self) -> Tensor:
        """
        Returns the mean over the sentences that are counted; 0 if there are none, since AllenNLP's
        evaluator expects a loss for every batch or for none.
        """
        return self.losses.sum() / self.counted.sum().clamp(min=1)


class Decoding(NamedTuple):
    """
    How a trained parser chooses trees and graphs in evaluation.

    # Parameters

    probabilities : `bool`, optional (default = `False`)
        Whether the output has the marginal probability of each arc: `head_probabilities` for trees;
        `arc_probabilities` and `top_probabilities`, those of labelled arcs, for graphs.
    threshold : `float`, optional (default = `None`)
        If set, a graph consists of the arcs whose most probable label has at least this
        probability, instead of being the best graph.
    minimum_risk : `bool`, optional (default = `False`)
        Whether to choose the tree with the highest expected number of correct heads (the best tree
        under the marginals) instead of the best tree under the scores. A model that reads the tree
        reads this one.
    """

    probabilities: bool = False
    threshold: Optional[float] = None
    minimum_risk: bool = False


class ParsingModel(Model):
    """A model that assigns trees or graphs to sentences."""

    default_predictor: Optional[str] = "parser"

    def forward_on_instances(self, instances: List[Instance]) -> List[Dict[str, Any]]:
        """
        Returns the readable output of each instance, in order, without a loss even if they have
        gold objects. Sentences of similar length go through the model together. The model is in
        evaluation mode meanwhile.
        """
        asked = [without_gold(instance) for instance in instances]
        lengths = [len(instance["tokens"]) for instance in asked]  # type: ignore[arg-type]
        outputs: List[Dict[str, Any]] = [{}] * len(asked)
        with in_evaluation(self):
            for group in length_groups(lengths):
                results = self._readable([asked[position] for position in group])
                for position, result in zip(group, results, strict=True):
                    outputs[position] = result
        return outputs

    @torch.no_grad()
    def _readable(self, instances: List[Instance]) -> List[Dict[str, Any]]:
        """Returns the readable output of each instance of a batch."""
        batch = Batch(instances)
        batch.index_instances(self.vocab)
        tensors = dict(batch.as_tensor_dict())
        # Not moved to the device: AllenNLP would search it for tensors, word by word.
        metadata = tensors.pop("metadata", None)
        device = self._get_prediction_device()
        output = self(**util.move_to_device(tensors, device), metadata=metadata)
        readable = self.make_output_human_readable(output)
        return [
            {name: values[position] for name, values in readable.items()}
            for position in range(len(instances))
        ]

    @property
    def scored_namespaces(self) -> Tuple[str, ...]:
        """
        Returns the vocabulary namespaces in which every entry has a score: they cannot grow after
        training.
        """
        return ()


class StructuredParser(ParsingModel):
    """
    A parser that scores the parts of a structure: an encoder turns tokens into vectors, a subclass
    computes scores from them, and a loss compares the scores with gold objects.

    # Parameters

    vocab : `Vocabulary`
    encoder : `SentenceEncoder`
    structure : `Structure`
    loss : `StructuredLoss`
        Refused with a `ConfigurationError` if it needs an operation that `structure` does not
        provide.
    outside : `str`
        The name of the metric that counts gold objects outside the structure.
    regularizer : `RegularizerApplicator`, optional (default = `None`)
    pruned : `str`, optional (default = `"gold_arcs_pruned"`)
        The name of the metric that counts gold arcs removed by the pruner.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: SentenceEncoder,
        structure: Structure,
        loss: StructuredLoss,
        outside: str,
        regularizer: Optional[RegularizerApplicator] = None,
        pruned: str = "gold_arcs_pruned",
    ) -> None:
        super().__init__(vocab, regularizer)
        loss.check(structure)
        self.encoder = encoder
        self.structure = structure
        #: How the parser decodes in evaluation; `decoded_by` changes it.
        self.decoding = Decoding()
        self._loss = loss
        self._outside = OutsideStructure(outside)
        self._pruned_gold = PrunedGold(pruned)
        # A subclass sets this after its initializer has run, which must not touch trained weights.
        self.pruner: Optional[Pruner] = None

    def candidates(self, tokens: TextFieldTensors) -> Optional[BoolTensor]:
        """
        Returns which arcs the pruner keeps, shape `(batch_size, dependent, head)`; `None` means
        all, without a pruner.
        """
        return None if self.pruner is None else self.pruner(tokens)

    def candidates_of_loss(
        self, candidates: Optional[BoolTensor], gold: BoolTensor
    ) -> Optional[BoolTensor]:
        """
        Returns the arcs that the loss may choose from, `(batch_size, dependent, head)`: the
        `candidates` that the pruner keeps and, in training, all `gold` arcs; `None` without a
        pruner. Counts the gold arcs that the pruner removes.
        """
        if candidates is None:
            return None
        self._pruned_gold(gold, candidates)
        return candidates | gold if self.training else candidates

    def gold_losses(
        self,
        scores: Tensor,
        part_mask: BoolTensor,
        gold: Tensor,
        metadata: Optional[List[Dict[str, Any]]],
    ) -> GoldLosses:
        """Returns the losses of `scores` against gold objects; see `StructuredLoss.forward`."""
        losses = self._loss(self.structure, scores, part_mask, gold, metadata)
        return GoldLosses(losses, self._loss.counted(self.structure, part_mask, gold))


@contextmanager
def decoded_by(model: Model, decoding: Decoding) -> Iterator[None]:
    """Makes the parsers in a model decode this way while the block runs."""
    parsers = [part for part in model.modules() if isinstance(part, StructuredParser)]
    before = [parser.decoding for parser in parsers]
    for parser in parsers:
        parser.decoding = decoding
    try:
        yield
    finally:
        for parser, its_decoding in zip(parsers, before, strict=True):
            parser.decoding = its_decoding


def check_decoding(model: Model, decoding: Decoding) -> None:
    """
    # Raises

    `ConfigurationError` if the model has no parser that could decode this way, or if the structure
    of a parser has no probabilities.
    """
    if decoding == Decoding():
        return
    parsers = {
        name: part for name, part in model.named_modules() if isinstance(part, StructuredParser)
    }
    if not parsers:
        raise ConfigurationError(
            f"A {type(model).__name__} gives its arcs no probabilities. Leave probabilities, "
            "threshold and minimum_risk out."
        )
    for name, parser in parsers.items():
        structure = parser.structure
        if structure.provides("log_partition"):
            continue
        key = ".".join(["model", *filter(None, [name]), "structure.deterministic_roles"])
        reason, way_out = "", ""
        if "deterministic_roles" in structure.why_no_sums:
            reason = ": deterministic_roles take them away"
            way_out = f", or take the roles out of the model by --overrides '{{\"{key}\": []}}'"
        raise ConfigurationError(
            f"The arcs of a {type(structure).__name__} (so configured) have no probabilities"
            f"{reason}. Leave probabilities, threshold and minimum_risk out{way_out}."
        )


def summed_penalties(*penalties: Optional[Tensor]) -> Optional[Tensor]:
    """
    Returns the sum of the regularization penalties of a model's parts, each from its own
    `regularizer`: AllenNLP only asks the outermost model. `None` if no part has one.
    """
    total = None
    for penalty in penalties:
        if penalty is not None:
            total = penalty if total is None else total + penalty
    return total


def warn_of_two_structures(read: Structure, shown: Structure, parser: str) -> None:
    """
    Warns if the rest of a model reads objects of one structure while those of another, the
    `parser`'s, are shown: if the two differ in class or options.
    """
    if type(read) is not type(shown) or vars(read) != vars(shown):
        logger.warning(
            "argmax.structure is not %s.structure: the rest of the model reads what the first "
            "chooses, while what is shown and scored is of the second. Configure both alike.",
            parser,
        )


def without_gold(instance: Instance) -> Instance:
    """
    Returns a copy of an instance for prediction, without its gold fields: no loss is needed, and an
    unknown label would end the run.
    """
    return Instance({name: field for name, field in instance.items() if name not in GOLD_FIELDS})


def carried_over(output_dict: Dict[str, Any]) -> Dict[str, Any]:
    """
    Returns the parts of each sentence's `metadata` that predictors need, and the loss if there is
    one.
    """
    entries = output_dict.get("metadata") or []
    # The metadata of other readers may have other keys.
    known = [key for key in CARRIED if any(key in entry for entry in entries)]
    carried: Dict[str, Any] = {key: [entry.get(key) for entry in entries] for key in known}
    if "loss" in output_dict:
        carried["loss"] = output_dict["loss"]
    return carried


def unpadded(rows: Tensor, mask: BoolTensor) -> List[List[Any]]:
    """
    Returns the entries of `rows` as a list per sentence; `rows` and `mask` are
    `(batch_size, length)`.
    """
    lengths = mask.sum(dim=-1).tolist()
    return [row[:length] for row, length in zip(rows.tolist(), lengths, strict=True)]


def punctuation_mask(metadata: Optional[List[Dict[str, Any]]], like: Tensor) -> BoolTensor:
    """
    Returns which tokens are punctuation, in the shape of `like`, `(batch_size, length)`; none if
    the words are not known.
    """
    marks = torch.zeros(like.shape, dtype=torch.bool)
    for row, entry in enumerate(metadata or []):
        words = entry.get("words", ())
        marks[row, : len(words)] = torch.tensor(list(map(is_punctuation, words)), dtype=torch.bool)
    return marks.to(like.device)


def is_punctuation(form: str) -> bool:
    r"""
    Returns whether `form` is not empty and all its characters have the Unicode general category
    Punctuation: Pc, Pd, Ps, Pe, Pi, Pf or Po.

    This is the test of `eval.pl`, the scorer of the CoNLL-X shared task (Buchholz and Marsi, 2006),
    which matches a form against `^\p{Punctuation}+$`. Symbols (S*: `$`, `+`, also the backquote)
    are not punctuation, nor are the bracket codes of the Penn Treebank (`-LRB-`).
    """
    return bool(form) and all(unicodedata.category(character).startswith("P") for character in form)


@contextmanager
def in_evaluation(module: torch.nn.Module) -> Iterator[None]:
    """Puts `module` into evaluation mode while the block runs."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@contextmanager
def without_dropout(module: torch.nn.Module) -> Iterator[None]:
    """
    Makes `module` compute what it would compute in evaluation, while gradients flow. Recurrent
    layers stay in training mode, because cuDNN otherwise refuses their backward pass, and have
    their own dropout set to zero.
    """
    modules = list(module.modules())
    training = [part.training for part in modules]
    dropouts = [getattr(part, "dropout", None) for part in modules]
    for part in modules:
        if isinstance(part, torch.nn.RNNBase):
            part.dropout = 0.0
        else:
            part.training = False
    try:
        yield
    finally:
        for part, mode, dropout in zip(modules, training, dropouts, strict=True):
            part.training = mode
            if isinstance(part, torch.nn.RNNBase):
                part.dropout = dropout
