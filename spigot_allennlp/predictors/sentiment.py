"""Predicts the sentiment of text, words or whole files, and the graph or tree behind it."""

from typing import Any, Dict

from allennlp.common.util import JsonDict
from allennlp.predictors import Predictor

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.predictors.sentence_predictor import SentencePredictor, rounded


@Predictor.register("sentiment")
class SentimentPredictor(SentencePredictor):
    """
    Classifies sentences with any of our classifiers, or with AllenNLP's `basic_classifier`, whose
    own predictor is not for readers of sentences and is never taken with them. See
    `SentencePredictor` for the input and the parameters; of a multitask reader, the task
    "sentiment" is meant unless another is named. `tags` stand for `pos` where that is not given.

    The output has, per sentence, `id`, `words`, `lemmas` and `pos`; the `label`, and
    `probabilities`, from each label to its own; and what the model took into account: of a semantic
    graph `arcs`, as `[predicate, argument, role]`, and `tops`, of a latent tree `heads` (0 is the
    root). Positions count from 1. What a model does not make, or nobody knows, is left out.

    Registered as a `Predictor` with name "sentiment".
    """

    output_keys = (
        "id",
        "words",
        "lemmas",
        "pos",
        "label",
        "probabilities",
        "heads",
        "arcs",
        "tops",
    )
    default_task = "sentiment"

    def arguments(self, sentence: AnnotatedSentence) -> Dict[str, Any]:
        """Returns what formats with sentiment say of a sentence."""
        return {
            "words": sentence.words,
            "lemmas": sentence.lemmas,
            "pos": sentence.pos or sentence.tags,
            "identifier": sentence.identifier,
        }

    def readable(self, output: Dict[str, Any]) -> JsonDict:
        if "probs" in output:  # of AllenNLP's classifiers, by the numbers of the labels
            labels = self._model.vocab.get_index_to_token_vocabulary("labels")
            by_number = enumerate(output["probs"])
            probabilities = {labels[number]: probability for number, probability in by_number}
            output = {**output, "probabilities": probabilities}
        readable = super().readable(output)
        if "probabilities" in readable:
            readable["probabilities"] = {
                label: rounded(probability)
                for label, probability in readable["probabilities"].items()
            }
        return readable
