"""Continues texts, character by character, with a character language model."""

from copy import deepcopy
from typing import Any, List

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict
from allennlp.data import Batch, DatasetReader, Instance
from allennlp.models import Model
from allennlp.nn.util import move_to_device
from allennlp.predictors import Predictor
from torch import Tensor

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.dataset_readers.character_language_model import (
    CHARACTERS,
    CharacterLanguageModelReader,
)
from spigot_allennlp.models.sequence_models import StepClassifier
from spigot_allennlp.modules.stateful_encoders import stateful_encoders
from spigot_allennlp.predictors.line_predictor import LinePredictor


@Predictor.register("character_language_model")
class CharacterLanguageModelPredictor(LinePredictor):
    """
    Samples continuations of texts from a "step_classifier" of the next character. The input is JSON
    lines, `{"text": "ROMEO:"}`; or, with `--use-dataset-reader`, a text. Each piece into which the
    reader cuts it is then continued.

    The output has, per line, the `text` and its `continuation`. The model reads both as in
    training: in pieces of the reader's length, with a stateful encoder carrying its state from
    piece to piece. A stateless encoder reads the latest characters, at most one piece.

    ```
    echo '{"text": "ROMEO:"}' | allennlp predict ARCHIVE - --predictor character_language_model \\
      --predictor-args '{"temperature": 0.7, "seed": 1}'
    ```

    Registered as a `Predictor` with name "character_language_model".

    # Parameters

    model : `Model`
        A `StepClassifier`.
    dataset_reader : `DatasetReader`
        A `CharacterLanguageModelReader`.
    frozen : `bool`, optional (default = `True`)
    num_characters : `int`, optional (default = `300`)
        The length of a continuation.
    temperature : `float`, optional (default = `1.0`)
        Logits are divided by it. At zero the most probable character is always chosen.
    seed : `int`, optional (default = `1`)
        The seed for each line: a continuation does not depend on the lines before it.
    on_error : `str`, optional (default = `"raise"`)
        See `LinePredictor`.
    """

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        num_characters: int = 300,
        temperature: float = 1.0,
        seed: int = 1,
        on_error: str = "raise",
    ) -> None:
        super().__init__(model, dataset_reader, frozen, on_error)
        check_least(1, num_characters=num_characters)
        check_least(0, temperature=temperature)
        if not isinstance(model, StepClassifier) or not isinstance(
            dataset_reader, CharacterLanguageModelReader
        ):
            raise ConfigurationError(
                'The predictor "character_language_model" needs a model "step_classifier" that was '
                'trained with the reader "character_language_model", but found '
                f"{type(model).__name__} and {type(dataset_reader).__name__}."
            )
        self._num_characters = num_characters
        self._temperature = temperature
        self._length = dataset_reader.length
        self._seed = seed
        self._generator = torch.Generator()
        self._encoders = [encoder for _, encoder in stateful_encoders(model)]

    def check(self, inputs: Any) -> None:
        text = inputs.get("text")
        if not isinstance(text, str) or not text:
            raise ConfigurationError('it needs a "text" of one character at least')
        unknown = sorted(inputs.keys() - {"text"})
        if unknown:
            raise ConfigurationError(
                f'it has {", ".join(unknown)}, but only "text" is read. Temperature, seed and '
                "length are options of the predictor, in --predictor-args"
            )

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        return self._instance(list(json_dict["text"]))

    def _instance(self, characters: List[str]) -> Instance:
        # The reader needs a character after the last; the model's logits do not depend on it.
        return self._reader.text_to_instance([*characters, characters[-1]])

    def run(self, instances: List[Instance]) -> List[JsonDict]:
        texts = [[token.text for token in instance["tokens"]] for instance in instances]  # type: ignore
        return [
            {"text": "".join(text), "continuation": "".join(self._continuation(text))}
            for text in texts
        ]

    @torch.no_grad()
    def _continuation(self, text: List[str]) -> List[str]:
        self._model.eval()  # resets stateful encoders
        self._generator.manual_seed(self._seed)
        characters, start = list(text), 0
        while len(characters) < len(text) + self._num_characters:
            while self._encoders and len(characters) - start > self._length:
                self._logits(characters[start : start + self._length])
                start += self._length
            if not self._encoders:
                start = max(0, len(characters) - self._length)
            # The last piece is read again with the next character, from the same states.
            carried = [deepcopy(encoder._states) for encoder in self._encoders]
            characters.append(self._sample(self._logits(characters[start:])[-1]))
            for encoder, states in zip(self._encoders, carried, strict=True):
                encoder._states = states
        return characters[len(text) :]

    def _logits(self, characters: List[str]) -> Tensor:
        """Returns the logits for the successor of each character, `(length, vocabulary)`."""
        instance = self._instance(characters)
        self._reader.apply_token_indexers(instance)
        batch = Batch([instance])
        batch.index_instances(self._model.vocab)
        fields = move_to_device(batch.as_tensor_dict(), self._model._get_prediction_device())
        return self._model(tokens=fields["tokens"])["logits"][0]

    def _sample(self, logits: Tensor) -> str:
        vocab = self._model.vocab
        of_text = logits.float().cpu()
        for no_character in (vocab._padding_token, vocab._oov_token):
            of_text[vocab.get_token_index(no_character, CHARACTERS)] = -torch.inf
        if self._temperature == 0:
            index = int(of_text.argmax())
        else:
            probabilities = (of_text / self._temperature).softmax(dim=0)
            index = int(torch.multinomial(probabilities, 1, generator=self._generator))
        return vocab.get_token_from_index(index, CHARACTERS)
