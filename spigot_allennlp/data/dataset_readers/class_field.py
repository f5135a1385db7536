"""The class of an instance."""

from typing import Optional

from allennlp.data import Vocabulary
from allennlp.data.fields import LabelField

from spigot_allennlp.config_checks import PlainConfigurationError

# The number of classes named in a message.
SHOWN = 10


class ClassField(LabelField):
    """
    A `LabelField` with its own error for a class that is not in the vocabulary, because no training
    instance has it. AllenNLP raises a bare `KeyError`, without a way out.

    # Parameters

    label : `str`
    source : `str`, optional
        Where the instance comes from, as `file:line`.
    """

    __slots__ = ("_source",)

    def __init__(self, label: str, source: Optional[str] = None) -> None:
        super().__init__(label)
        self._source = source

    def index(self, vocab: Vocabulary) -> None:
        """
        # Raises

        `ConfigurationError` if the class is not in the vocabulary.
        """
        classes = vocab.get_token_to_index_vocabulary(self._label_namespace)
        if self.label not in classes:
            others = f" and {len(classes) - SHOWN} others" if len(classes) > SHOWN else ""
            raise PlainConfigurationError(
                f"{self._source or 'An instance'} has the label {self.label!r}, but the training "
                f"data have only {sorted(classes)[:SHOWN]}{others}. Add instances with this label "
                "to the training data, or leave those that have it out of the others."
            )
        super().index(vocab)
