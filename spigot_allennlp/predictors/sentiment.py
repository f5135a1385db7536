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
    own predictor does not fit readers of sentences and is never used with them. See
    `SentencePredictor` for the input and the parameters. With a multitask reader the default task
    is "sentiment". `tags` replace a missing `pos`.

    The output has, per sentence, `id`, `words`, `lemmas` and `pos`; the `label`, and
    `probabilities`, by label; and the structure that the model used: for a semantic graph `arcs`,
    as `[predicate, argument, role]`, and `tops`; for a latent tree `heads` (0 is the root).
    Positions count from 1. Whatever a model does not predict, or is not known, is left out.

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
        """Returns what formats with sentiment know about a sentence."""
        return {
            "words": sentence.words,
            "lemmas": sentence.lemmas,
            "pos": sentence.pos or sentence.tags,
            "identifier": sentence.identifier,
        }

    def readable(self, output: Dict[str, Any]) -> JsonDict:
        if "probs" in output:  # from AllenNLP's classifiers, by the numbers of the labels
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
