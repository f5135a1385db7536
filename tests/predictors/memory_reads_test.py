import json
from pathlib import Path

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.models.archival import archive_model
from PIL import Image

from spigot_allennlp.predictors.memory_reads import MemoryReadsPredictor, draw_reads
from tests.predictors.predict_command import lines, predict, predictor_args

CONFIG = Path(__file__).parents[2] / "fixtures" / "experiments" / "step_classifier.jsonnet"


def built(overrides=None, size=40):
    """Model and reader of the experiment, and instances of it."""
    params = Params.from_file(str(CONFIG), overrides or {})
    reader = DatasetReader.from_params(params["dataset_reader"])
    instances = list(reader.read(f"synthetic:size={size},seed=1"))
    torch.manual_seed(1)
    vocab = Vocabulary.from_instances(instances)
    return Model.from_params(params["model"], vocab=vocab), reader, instances


@pytest.fixture(scope="module")
def parts():
    return built()


def forget_what_memories_hold(model):
    """Gives all memories equal scores."""
    model.encoder._cell._score._key.weight.data.zero_()


def test_memories_and_weights_are_those_that_the_summary_is_made_of(parts):
    model, reader, instances = parts
    outputs = MemoryReadsPredictor(model, reader).predict_batch_instance(instances[:2])
    for instance, output in zip(instances, outputs, strict=False):
        tokens = [token.text for token in instance["tokens"]]
        assert output["tokens"] == tokens
        assert len(output["labels"]) == len(output["memories"]) == len(output["weights"]) == 12
        index = torch.tensor([[model.vocab.get_token_index(text) for text in tokens]])
        with torch.no_grad():
            inputs = model.text_field_embedder({"tokens": {"tokens": index}})
            states, summaries = model.encoder(inputs)[0].chunk(2, dim=-1)
        stored = {0: torch.zeros(8), **{step: states[step - 1] for step in range(2, 13, 2)}}
        reads = zip(output["memories"], output["weights"], summaries, strict=True)
        for step, (memories, weights, summary) in enumerate(reads, start=1):
            assert len(memories) == min(2, 1 + (step - 1) // 2)
            assert all(memory < step for memory in memories)
            assert sum(weights) == pytest.approx(1, abs=1e-6)
            pairs = zip(memories, weights, strict=True)
            total = sum(weight * stored[memory] for memory, weight in pairs)
            torch.testing.assert_close(total, summary, rtol=1e-4, atol=1e-5)
        json.dumps(output)


def test_sequences_of_a_batch_are_told_without_padding(parts):
    model, reader, _ = parts
    predictor = MemoryReadsPredictor(model, reader)
    inputs = [{"symbols": ["3", "1"]}, {"symbols": ["8", "2", "2"], "delay": 9}]
    both = predictor.predict_batch_json(inputs)
    assert [len(output["memories"]) for output in both] == [10, 15]
    for output, alone in zip(both, map(predictor.predict_json, inputs), strict=True):
        assert output["memories"] == alone["memories"]
        assert output["labels"] == alone["labels"]
        for weights, expected in zip(output["weights"], alone["weights"], strict=True):
            assert weights == pytest.approx(expected, abs=1e-5)


def test_predictions_stay_what_they_are_without_the_predictor(parts):
    model, reader, instances = parts
    expected = model.eval().forward_on_instances(instances[:3])
    outputs = MemoryReadsPredictor(model, reader).predict_batch_instance(instances[:3])
    assert [output["labels"] for output in outputs] == [output["labels"] for output in expected]
    again = model.forward_on_instances(instances[:3])
    for before, after in zip(expected, again, strict=True):
        assert (before["logits"] == after["logits"]).all()


def test_a_picture_is_the_darker_the_greater_a_weight(tmp_path):
    path = tmp_path / "reads.png"
    draw_reads([[0], [0], [2, 0], [2]], [[1], [1], [0.75, 0.25], [1.0]], 2, "title", path)
    picture = numpy.asarray(Image.open(path).convert("L"))
    # The dark frame of the panel is the largest box; in it are three rows, of 0, 2 and 4, from
    # below, and four columns. Frames are one or two pixels wide, so look at centres.
    dark = picture < 80
    rows = numpy.nonzero(dark.mean(axis=1) > 0.6)[0]
    columns = numpy.nonzero(dark.mean(axis=0)[: int(0.9 * picture.shape[1])] > 0.6)[0]
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()

    def shade(row, column):
        y = bottom - (row + 0.5) / 3 * (bottom - top)
        x = left + (column + 0.5) / 4 * (right - left)
        return picture[int(y), int(x)]

    shades = [[shade(row, column) for column in range(4)] for row in range(3)]
    assert [row[0] for row in shades] == [0, 255, 255]
    assert [row[1] for row in shades] == [0, 255, 255]
    assert shades[2] == [255] * 4  # of the memory after step 4, which nobody has read
    assert shades[1][3] == 0 and shades[0][3] == 255
    assert 0 < shades[1][2] < 128 < shades[0][2] < 255  # 0.75 and 0.25


def test_there_is_a_picture_of_each_of_the_first_sequences(parts, tmp_path):
    model, reader, instances = parts
    folder = tmp_path / "new"
    predictor = MemoryReadsPredictor(model, reader, pictures=str(folder), num_pictures=3)
    predictor.predict_batch_instance(instances[:2])
    predictor.predict_batch_instance(instances[2:4])
    assert sorted(path.name for path in folder.iterdir()) == [
        f"reads-{number}.png" for number in (1, 2, 3)
    ]


def test_a_picture_has_the_number_of_its_line_and_its_failure_takes_no_output(
    parts, tmp_path, monkeypatch, caplog
):
    model, reader, _ = parts
    lines_of_input = [{"symbols": "nonsense"}, {"symbols": ["3", "1"]}, {"symbols": ["1"]}]
    options = {"pictures": str(tmp_path), "num_pictures": 2, "on_error": "report"}
    predictor = MemoryReadsPredictor(model, reader, **options)
    inputs = [predictor.load_line(json.dumps(line)) for line in lines_of_input]
    outputs = predictor.predict_batch_json(inputs)
    assert ["error" in output for output in outputs] == [True, False, False]
    assert [path.name for path in tmp_path.iterdir()] == ["reads-2.png"]

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spigot_allennlp.predictors.memory_reads.draw_reads", fail)
    predictor = MemoryReadsPredictor(model, reader, **options)
    caplog.clear()
    assert predictor.predict_batch_json(lines_of_input[1:]) == outputs[1:]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "No space left" in caplog.text


def classifier_of_pixels():
    """Model and reader of images, pixel by pixel."""
    overrides = {
        "dataset_reader": {"type": "pixel_sequence"},
        "model": {
            "type": "sequence_classifier",
            "encoder": {
                "type": "sparse_attentive_lstm",
                **{"input_size": 1, "hidden_size": 4, "attend_every": 7, "top_k": 3},
            },
        },
    }
    params = Params(overrides)
    reader = DatasetReader.from_params(params["dataset_reader"])
    instances = list(reader.read("synthetic:size=20,seed=1"))
    model = Model.from_params(params["model"], vocab=Vocabulary.from_instances(instances))
    return model, reader


def test_images_are_read_pixel_by_pixel(tmp_path):
    model, reader = classifier_of_pixels()
    forget_what_memories_hold(model)
    predictor = MemoryReadsPredictor(model, reader, pictures=str(tmp_path))
    output = predictor.predict_json({"image": [[0, 255] * 4] * 8})
    assert set(output) == {"label", "memories", "weights"} and len(output["weights"]) == 64
    assert output["weights"][:7] == [[1.0]] * 7 and output["weights"][7:14] == [[0.5, 0.5]] * 7
    assert output["weights"][14:] == [[pytest.approx(1 / 3)] * 3] * 50
    assert (tmp_path / "reads-1.png").exists()


def test_a_small_image_is_told_without_the_padding_beside_a_large_one():
    predictor = MemoryReadsPredictor(*classifier_of_pixels())
    images = [{"image": [[0, 255] * 2] * 4}, {"image": [[0, 255] * 4] * 8}]
    alone = predictor.predict_json(images[0])
    beside, large = predictor.predict_batch_json(images)
    assert len(beside["memories"]) == 16 and len(large["memories"]) == 64
    assert (beside["memories"], beside["label"]) == (alone["memories"], alone["label"])


def test_the_command_reads_lines_and_files(parts, tmp_path):
    model, _, _ = parts
    Params.from_file(str(CONFIG)).to_file(str(tmp_path / "config.json"))
    torch.save(model.state_dict(), tmp_path / "weights.th")
    model.vocab.save_to_files(str(tmp_path / "vocabulary"))
    archive_model(str(tmp_path), weights="weights.th")
    archive = str(tmp_path / "model.tar.gz")
    options = "--predictor", "memory_reads", *predictor_args(pictures=str(tmp_path / "pictures"))
    text = predict(archive, tmp_path, lines({"symbols": ["3", "1"], "delay": 4}), *options)
    (output,) = map(json.loads, text.splitlines())
    assert len(output["memories"]) == 8 and output["memories"][:2] == [[0], [0]]
    assert (tmp_path / "pictures" / "reads-1.png").exists()


def test_a_model_that_reads_no_memories_is_refused(parts):
    _, reader, _ = parts
    model, _, _ = built({"model.encoder.top_k": 0})
    with pytest.raises(ConfigurationError, match=r"encoder\.top_k is 0: .*Give an archive"):
        MemoryReadsPredictor(model, reader)
    other, _, _ = built({"model.encoder": {"type": "lstm", "input_size": 12, "hidden_size": 4}})
    with pytest.raises(ConfigurationError, match="sparse_attentive_lstm.*StepClassifier .* none"):
        MemoryReadsPredictor(other, reader)
    other.first, other.second = parts[0].encoder, built()[0].encoder
    with pytest.raises(ConfigurationError, match="there is 2: first, second"):
        MemoryReadsPredictor(other, reader)


def test_a_model_that_runs_its_encoder_twice_is_refused_with_the_way_out(parts, monkeypatch):
    model, reader, instances = parts
    encode = model.encode
    monkeypatch.setattr(model, "encode", lambda *given: encode(*given) and encode(*given))
    with pytest.raises(ConfigurationError, match="ran its encoder 2 times.*call `reads`"):
        MemoryReadsPredictor(model, reader).predict_instance(instances[0])


def test_weights_that_are_no_numbers_are_an_error_instead_of_no_reads(parts):
    model, reader, instances = built()
    model.encoder._cell.bias.data.fill_(torch.nan)
    with pytest.raises(ArithmeticError, match='"weights" is not finite'):
        MemoryReadsPredictor(model, reader).predict_instance(instances[0])


@pytest.mark.parametrize(
    "line, message",
    [
        ({"delay": 3}, "'symbols'.* CopyingReader, takes symbols, delay.*--use-dataset-reader"),
        ({"words": ["a"]}, "'symbols'.* takes symbols, delay"),
        ({"symbols": ["1"], "pause": 3}, "'pause'.* takes symbols, delay"),
        ({"symbols": ["1", 2]}, "symbols has '2', .* texts \"1\" to"),
        ({"symbols": ["9"]}, "symbols has '9', .* texts \"1\" to"),
        ({"symbols": 5}, "symbols is '5', .* a list of texts"),
        ({"symbols": [["1"]]}, 'symbols has .* texts "1" to'),
        ({"symbols": ["1"], "delay": 0}, "delay is '0'"),
        ({"symbols": ["1"], "delay": "3"}, "delay is '3'"),
        ([1], "a JSON object is needed"),
    ],
)
def test_what_the_reader_does_not_take_is_an_error_with_the_way_out(line, message, parts):
    with pytest.raises(ConfigurationError, match=message):
        MemoryReadsPredictor(*parts[:2]).predict_json(line)
