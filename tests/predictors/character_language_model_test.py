import copy
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.models.archival import archive_model

from spigot_allennlp.predictors.character_language_model import CharacterLanguageModelPredictor
from tests.predictors.predict_command import lines, predict

EXPERIMENTS = Path(__file__).parents[2] / "fixtures" / "experiments"
STATELESS = {
    "dataset_reader.num_streams": 1,
    "model.encoder": {"type": "lstm", "input_size": 12, "hidden_size": 8},
}
STATEFUL_LSTM = {"model.encoder": {**STATELESS["model.encoder"], "stateful": True}}


def built(overrides=None, experiment="character_language_model"):
    """Model and reader of the experiment, with strong opinions on what follows."""
    params = Params.from_file(str(EXPERIMENTS / f"{experiment}.jsonnet"), overrides or {})
    reader = DatasetReader.from_params(params["dataset_reader"])
    vocab = Vocabulary.from_instances(reader.read(params["train_data_path"]))
    torch.manual_seed(1)
    model = Model.from_params(params["model"], vocab=vocab)
    model.output.weight.data *= 20
    return model, reader


def logits_of(model, text):
    """The logits of what follows each character, of a text as a single batch."""
    vocab = model.vocab
    index = torch.tensor([[vocab.get_token_index(c, "characters") for c in text]])
    with torch.no_grad():
        return model(tokens={"tokens": {"tokens": index}})["logits"][0]


def best(model, logits):
    index = logits[2:].argmax().item() + 2  # without padding and unknown
    return model.vocab.get_token_from_index(index, "characters")


def slow_continuation(model, text, count, length, is_stateful):
    """Reads everything anew for each character."""
    for _ in range(count):
        model.eval()  # forgets
        pieces = [text[start : start + length] for start in range(0, len(text), length)]
        if not is_stateful:
            pieces = [text[-length:]]
        for piece in pieces:
            logits = logits_of(model, piece)
        text += best(model, logits[-1])
    return text[-count:]


@pytest.mark.parametrize("text", ["W", "We know it", "We know it, and we know"])
@pytest.mark.parametrize(
    "overrides, is_stateful", [({}, True), (STATEFUL_LSTM, True), (STATELESS, False)]
)
def test_at_a_temperature_of_zero_the_most_probable_character_follows(text, overrides, is_stateful):
    model, reader = built(overrides)
    expected = slow_continuation(model, text, 25, 10, is_stateful)
    predictor = CharacterLanguageModelPredictor(model, reader, num_characters=25, temperature=0)
    output = predictor.predict_json({"text": text})
    assert output == {"text": text, "continuation": expected}
    assert len(set(expected)) > 1


def test_characters_follow_as_often_as_the_model_says():
    model, reader = built()
    model.eval()
    logits = logits_of(model, "We know")[-1] / 2
    logits[:2] = -torch.inf
    expected = logits.softmax(dim=0)
    counts = Counter()
    for seed in range(400):
        predictor = CharacterLanguageModelPredictor(
            model, reader, num_characters=1, temperature=2.0, seed=seed
        )
        counts[predictor.predict_json({"text": "We know"})["continuation"]] += 1
    for index, probability in enumerate(expected.tolist()):
        share = counts[model.vocab.get_token_from_index(index, "characters")] / 400
        # four standard errors
        assert abs(share - probability) <= 4 * (probability * (1 - probability) / 400) ** 0.5


def test_a_line_is_gone_on_with_alike_whatever_stands_before_it():
    model, reader = built()
    predictor = CharacterLanguageModelPredictor(model, reader, num_characters=30)
    first, second, again = predictor.predict_batch_json(
        [{"text": "We know"}, {"text": "He"}, {"text": "We know"}]
    )
    assert first == again and first["continuation"] != second["continuation"]
    other = CharacterLanguageModelPredictor(model, reader, num_characters=30, seed=2)
    assert other.predict_json({"text": "We know"}) != first


def test_characters_that_the_vocabulary_lacks_are_read_but_never_follow():
    model, reader = built()
    model.output.bias.data[:2] = 1000
    predictor = CharacterLanguageModelPredictor(model, reader, num_characters=40)
    output = predictor.predict_json({"text": "\u4f60\u597d"})
    known = set(model.vocab.get_token_to_index_vocabulary("characters"))
    assert len(output["continuation"]) == 40 and set(output["continuation"]) <= known


def test_pieces_of_a_text_are_gone_on_with_by_the_reader(tmp_path):
    model, reader = built()
    torch.save(model.state_dict(), tmp_path / "weights.th")
    params = Params.from_file(str(EXPERIMENTS / "character_language_model.jsonnet"))
    params.to_file(str(tmp_path / "config.json"))
    model.vocab.save_to_files(str(tmp_path / "vocabulary"))
    archive_model(str(tmp_path), weights="weights.th")
    archive = str(tmp_path / "model.tar.gz")
    name = ("--predictor", "character_language_model")
    options = (*name, "--predictor-args", json.dumps({"num_characters": 5}))
    text = "We know that it is so, and they know it as well. "
    output = predict(archive, tmp_path, text, *options, "--use-dataset-reader", name="a.txt")
    pieces = [json.loads(line) for line in output.splitlines()]
    assert [piece["text"] for piece in pieces] == [
        text[start : start + 10] for start in (0, 10, 20, 30)
    ]
    output = predict(archive, tmp_path, lines({"text": "We "}), *options)
    assert len(json.loads(output)["continuation"]) == 5


@pytest.mark.parametrize(
    "line, message",
    [
        ({}, 'it needs a "text" of one character at least'),
        ({"text": ""}, 'it needs a "text" of one character at least'),
        ({"text": 7}, 'it needs a "text" of one character at least'),
        ({"text": "We", "seed": 2}, 'it has seed, but only "text" is read'),
    ],
)
def test_other_lines_are_refused(line, message):
    predictor = CharacterLanguageModelPredictor(*built())
    with pytest.raises(ConfigurationError, match=message):
        predictor.predict_json(line)


def test_other_options_and_models_are_refused():
    model, reader = built()
    with pytest.raises(ConfigurationError, match="num_characters must be at least 1"):
        CharacterLanguageModelPredictor(model, reader, num_characters=0)
    with pytest.raises(ConfigurationError, match="temperature must be at least 0"):
        CharacterLanguageModelPredictor(model, reader, temperature=-1)
    with pytest.raises(ConfigurationError, match="StepClassifier and CopyingReader"):
        CharacterLanguageModelPredictor(*built(experiment="step_classifier"))


def test_the_model_is_as_it_was():
    model, reader = built()
    before = copy.deepcopy(model.state_dict())
    CharacterLanguageModelPredictor(model, reader, num_characters=5).predict_json({"text": "We"})
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
