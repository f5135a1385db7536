"""What all parsers have in common: who predicts with them, and what they hand on unread."""

from typing import Any, Dict

from allennlp.models import Model

CARRIED = ("id", "words", "lemmas", "pos")


class ParsingModel(Model):
    """A model whose outputs say of which sentence they are."""

    default_predictor = "parser"

    def carried_over(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        """
        What a predictor wants back of each sentence's `metadata`, and the loss if there is one.
        """
        carried = {}
        if output_dict.get("metadata"):
            carried = {key: [entry[key] for entry in output_dict["metadata"]] for key in CARRIED}
        if "loss" in output_dict:
            carried["loss"] = output_dict["loss"]
        return carried
