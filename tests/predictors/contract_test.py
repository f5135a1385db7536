"""
What every predictor of ours keeps to: an output for each line, or an error in its place.

The models are those of the experiments in fixtures, as they are before training.
"""

import functools
import json
import logging
from pathlib import Path
from unittest import mock

import pytest
import torch
from allennlp.commands.predict import _PredictManager
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from allennlp.predictors import Predictor

from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.formats.sdp import scan_sdp
from spigot_allennlp.predictors.line_predictor import LinePredictor
from tests.data.sample_files import records_of

EXPERIMENTS = Path(__file__).parents[2] / "fixtures" / "experiments"
# Of each predictor: an experiment, and a line of which its model predicts.
SENTENCE = b'{"words": ["We", "know", "it", "."], "id": "sound"}'
IMAGE = json.dumps({"sample": 3, "image": [[0, 255] * 14] * 28}).encode()
PREDICTORS = {
    "parser": [
        ("syntactic_then_semantic", SENTENCE),
        ("syntactic_parser", SENTENCE),
        ("semantic_parser", SENTENCE),
    ],
    "sentiment": [("latent_tree_classifier", SENTENCE), ("semantic_then_sentiment", SENTENCE)],
    "character_language_model": [("character_language_model", b'{"text": "We know"}')],
    "memory_reads": [("step_classifier", b'{"symbols": ["3", "1"], "delay": 4}')],
    "spiking": [("spiking_classifier", IMAGE)],
}
REGISTERED = [
    name
    for name in Predictor.list_available()
    if issubclass(Predictor.by_name(name), LinePredictor)
]
CASES = [(name, *case) for name in REGISTERED for case in PREDICTORS[name]]
SENTENCES = [case for case in CASES if case[2] == SENTENCE]

NASTY = {
    "plain text": b"We know it.",
    "torn": b'{"words": ["We"',
    "list": b'["We"]',
    "null": b"null",
    "no number": b'{"words": [NaN]}',
    "infinite": b'{"sentence": "We", "id": Infinity}',
    "deep": b"[" * 100_000,
    "digits": b'{"sentence": "We", "id": ' + b"9" * 5000 + b"}",
    "surrogate": rb'{"sentence": "cut here \ud83d ."}',
    "surrogate in a word": rb'{"words": ["\udc00"]}',
    "surrogate in an id": rb'{"words": ["We"], "id": "\ud800"}',
    "latin 1": '{"words": ["café"]}'.encode("latin-1"),
    "utf-16": '{"words": ["We"]}'.encode("utf-16-be"),
    "nul": b"\x00",
    "twice": b'{"words": ["We"], "words": ["know"]}',
    "another key": b'{"error": "made up", "line": 1}',
    "empty": b'{"words": []}',
    "blank": b'{"sentence": " \\t"}',
    "too many characters": json.dumps({"sentence": "x" * 1_000_001}).encode(),
    "too many words": json.dumps({"words": ["a"] * 10_000}).encode(),
}
ODD = [
    rb'{"words": ["a\u2028b", "\u0085x", "\u200b", "\ud83d\ude00"]}',
    rb'{"words": ["#", "+", "-", "_"], "pos": ["_", "_", "_", "_"], "id": " "}',
    rb'{"sentence": "\u0000 \ufeff a\u00a0b\r\nc"}',
    b'{"sentence": "We  know .", "id": 7}\r',
]


def test_every_predictor_is_here():
    assert set(REGISTERED) <= PREDICTORS.keys() and {"parser", "sentiment"} <= set(REGISTERED)


@functools.cache
def parts_of(experiment):
    """Reader and model."""
    params = Params.from_file(str(EXPERIMENTS / f"{experiment}.jsonnet"))
    reader = DatasetReader.from_params(params["dataset_reader"])
    vocab = Vocabulary.from_instances(reader.read(params["train_data_path"]))
    torch.manual_seed(1)
    return reader, Model.from_params(params["model"], vocab=vocab)


@pytest.fixture
def command(tmp_path):
    """What `allennlp predict` writes, given lines or the bytes of a file for the reader."""

    def run(predictor, lines, batch_size=1, use_reader=False):
        source, output = tmp_path / "input", tmp_path / "output"
        source.write_bytes(lines if use_reader else b"\n".join(lines) + b"\n")
        arguments = predictor, str(source), str(output), batch_size, False, use_reader
        _PredictManager(*arguments).run()
        return output.read_text(encoding="utf-8")

    return run


def predictor_of(name, experiment, reader=None, **options):
    own_reader, model = parts_of(experiment)
    return Predictor.by_name(name)(model, reader or own_reader, **options)


def strictly_json(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def decisions(output):
    """An output without what is computed to some digits."""
    return {key: value for key, value in output.items() if key not in ("probabilities", "weights")}


@pytest.mark.parametrize("name, experiment, sound", CASES)
def test_a_reported_line_has_an_error_in_its_place_and_takes_no_other_along(
    command, name, experiment, sound
):
    lines = [line for nasty in NASTY.values() for line in (nasty, sound)]
    (alone,) = strictly_json(command(predictor_of(name, experiment), [sound]))
    for batch_size in (1, 3, 64):
        predictor = predictor_of(name, experiment, on_error="report")
        text = command(predictor, lines, batch_size)
        outputs = strictly_json(text)
        assert len(outputs) == len(lines)
        for number, (kind, output) in enumerate(zip(NASTY, outputs[::2], strict=True)):
            assert output["line"] == 2 * number + 1 and output["error"], kind
            assert len(json.dumps(output)) < 8000, kind
        for output in outputs[1::2]:
            # Padding changes the last bits of numbers, but no decision.
            assert decisions(output) == decisions(alone)


@pytest.mark.parametrize("kind", NASTY)
def test_the_line_that_ends_a_run_is_named(command, kind):
    for name, experiment, sound in CASES[:: len(CASES) - 1]:
        for batch_size in (1, 3):
            predictor = predictor_of(name, experiment)
            with pytest.raises(ConfigurationError, match="Line 2 of the input") as error:
                command(predictor, [sound, NASTY[kind], sound], batch_size)
            assert len(str(error.value)) < 4000
            assert message_of(error.value) == str(error.value)  # without a trace


def test_an_error_of_the_program_keeps_its_trace_and_one_of_memory_has_none(command, monkeypatch):
    predictor = predictor_of("parser", "syntactic_parser")
    for error, is_plain in (
        (RuntimeError("nothing to allocate"), False),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"), True),
        (MemoryError("out of it"), True),
    ):
        raising = mock.Mock(side_effect=error)
        monkeypatch.setattr(predictor._model, "forward_on_instances", raising)
        with pytest.raises(ConfigurationError, match="Line . of the input") as raised:
            command(predictor, [SENTENCE])
        assert (message_of(raised.value) is not None) is is_plain
        assert ("more memory than there is" in str(raised.value)) is is_plain


@pytest.mark.parametrize("name, experiment, sound", SENTENCES)
def test_odd_lines_are_predicted_of_or_reported(command, name, experiment, sound):
    for options in [{}, {"output": "sdp"}] if "semantic" in experiment else [{}]:
        options = options if name == "parser" else {}
        predictor = predictor_of(name, experiment, on_error="report", **options)
        text = command(predictor, [*ODD, sound], 2)
        if not options:
            assert len(strictly_json(text)) == len(ODD) + 1
            assert strictly_json(text)[-1]["id"] == "sound"
        else:
            assert text.endswith("\n\n") and "#sound\n" in text


def test_a_byte_order_mark_is_no_part_of_the_first_line(command):
    predictor = predictor_of(*SENTENCES[0][:2])
    (output,) = strictly_json(command(predictor, [b"\xef\xbb\xbf" + SENTENCE]))
    assert output["id"] == "sound"


@pytest.mark.parametrize("error", [MemoryError, RuntimeError, KeyError, RecursionError])
@pytest.mark.parametrize("part", ["tokenizer", "reader", "model"])
def test_whatever_fails_fails_for_its_line_alone(command, monkeypatch, part, error):
    predictor = predictor_of("parser", "syntactic_parser", on_error="report")

    def failing(function):
        def called(*arguments, **options):
            values = [*arguments, *options.values()]
            texts = [
                text for value in values for text in (value if isinstance(value, list) else [value])
            ]
            if any("fail" in str(text) for text in texts):
                raise error("out of it")
            return function(*arguments, **options)

        return called

    owner, method = {
        "tokenizer": (predictor._analysis, "of_text"),
        "reader": (predictor._reader, "text_to_instance"),
        "model": (predictor._model, "forward_on_instances"),
    }[part]
    monkeypatch.setattr(owner, method, failing(getattr(owner, method)))
    lines = [b'{"sentence": "%s"}' % words for words in (b"We know", b"fail it", b"Go on")]
    first, second, third = strictly_json(command(predictor, lines, 3))
    assert (first["words"], third["words"]) == (["We", "know"], ["Go", "on"])
    assert second["line"] == 2 and "out of it" in second["error"]


def test_an_interruption_is_no_error_of_a_line(command, monkeypatch):
    predictor = predictor_of("parser", "syntactic_parser", on_error="report")

    def interrupted(instances):
        raise KeyboardInterrupt

    monkeypatch.setattr(predictor._model, "forward_on_instances", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command(predictor, [SENTENCE])


@pytest.mark.parametrize("name, experiment, sound", SENTENCES)
def test_weights_that_are_no_numbers_are_named_and_nothing_is_predicted(
    command, name, experiment, sound
):
    _, model = parts_of(experiment)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    try:
        with torch.no_grad():
            scorers = [part for name, part in model.named_parameters() if "scorer" in name]
            scorers[0].fill_(float("nan"))
        with pytest.raises(ConfigurationError, match="Line 1 .*not finite"):
            command(predictor_of(name, experiment), [sound])
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(float("nan"))
        for batch_size in (1, 2):
            predictor = predictor_of(name, experiment, on_error="report")
            outputs = strictly_json(command(predictor, [sound, sound], batch_size))
            assert len(outputs) == 2 and all("its weights" in output["error"] for output in outputs)
    finally:
        model.load_state_dict(weights)


def test_text_is_answered_with_the_way_out_which_works(command):
    lines = [b"We know it .", b"Go on ."]
    with pytest.raises(ConfigurationError, match='one object, such as .*"sentence"') as error:
        command(predictor_of("parser", "syntactic_parser"), lines)
    advice = str(error.value).partition("--predictor-args '")[2].partition("'")[0]
    predictor = predictor_of("parser", "syntactic_parser", **json.loads(advice))
    outputs = strictly_json(command(predictor, lines))
    assert [output["words"][0] for output in outputs] == ["We", "Go"]


def test_the_limit_of_words_can_be_raised_as_the_error_says():
    words = ["a"] * 12
    with pytest.raises(ConfigurationError, match="has 12 words, more than max_words") as error:
        predictor_of("parser", "syntactic_parser", max_words=10).predict_words(words)
    advice = str(error.value).partition("--predictor-args '")[2].partition("'")[0]
    predictor = predictor_of("parser", "syntactic_parser", **json.loads(advice))
    assert predictor.predict_words(words)["words"] == words


def test_a_batch_takes_no_more_than_the_longest_sentence_would():
    predictor = predictor_of("parser", "syntactic_parser", max_words=10)
    lengths = [5, 5, 2, 5, 10, 3, 3, 12, 1]
    instances = [predictor._json_to_instance({"words": ["a"] * length}) for length in lengths]
    batches = [[lengths[position] for position in batch] for batch in predictor.batches(instances)]
    assert batches == [[1, 2, 3, 3], [5, 5, 5], [10], [12]]


def test_outputs_are_in_the_order_of_the_input_however_long_the_sentences_are():
    predictor = predictor_of("parser", "syntactic_parser", max_words=10)
    inputs = [{"words": ["a"] * length} for length in (5, 1, 7, 2, 10, 2)]
    outputs = predictor.predict_batch_json(inputs)
    assert [output["words"] for output in outputs] == [sentence["words"] for sentence in inputs]


def test_a_file_has_an_error_in_the_place_of_a_sentence_that_cannot_be_read(command):
    row = "{}\tGo\tgo\tVB\t{}\t-\t_\n\n"
    rows = [row.format(1, "+"), row.format(2, "+"), row.format(1, "*"), row.format(1, "+")]
    content = ("#SDP 2015\n" + "".join(f"#{i}\n{row}" for i, row in enumerate(rows))).encode()
    reader = SdpReader(token_indexers=parts_of("semantic_parser")[0].token_indexers)
    for batch_size in (1, 2, 8):
        predictor = predictor_of("parser", "semantic_parser", reader, on_error="report")
        outputs = strictly_json(command(predictor, content, batch_size, use_reader=True))
        assert [output.get("id") for output in outputs] == ["0", None, None, "3"]
        assert all("input:" in output["error"] for output in outputs[1:3])
    predictor = predictor_of("parser", "semantic_parser", reader, on_error="report", output="sdp")
    command(predictor, content, 2, use_reader=True)


@pytest.mark.parametrize("on_error", ["raise", "report"])
def test_of_a_file_the_reader_takes_as_many_sentences_as_it_is_told(command, on_error):
    indexers = parts_of("semantic_parser")[0].token_indexers
    reader = SdpReader(token_indexers=indexers, max_instances=2)
    predictor = predictor_of("parser", "semantic_parser", reader, on_error=on_error)
    content = b"1\tGo\tgo\tVB\t+\t-\t_\n\n" * 3
    assert len(strictly_json(command(predictor, content, 1, use_reader=True))) == 2


def test_a_gold_label_that_the_model_does_not_know_is_not_asked_for(command):
    reader = SstReader(token_indexers=parts_of("latent_tree_classifier")[0].token_indexers)
    predictor = predictor_of("sentiment", "latent_tree_classifier", reader)
    trees = b"(4 (2 Go) (3 on))\n(0 (2 Not) (1 so))\n"
    outputs = strictly_json(command(predictor, trees, 2, use_reader=True))
    assert [output["words"] for output in outputs] == [["Go", "on"], ["Not", "so"]]


def test_a_sentence_of_a_file_that_ends_a_run_is_named(command):
    reader = SdpReader(token_indexers=parts_of("semantic_parser")[0].token_indexers)
    predictor = predictor_of("parser", "semantic_parser", reader, max_words=1)
    content = b"#SDP 2015\n#a\n1\tGo\tgo\tVB\t+\t-\t_\n2\ton\ton\tRP\t-\t-\t_\n\n"
    with pytest.raises(ConfigurationError, match="input:3 a: the sentence has 2 words"):
        command(predictor, content, use_reader=True)


def test_sdp_of_sentences_with_odd_words_can_be_read_again(command, tmp_path):
    predictor = predictor_of("parser", "semantic_parser", output="sdp")
    command(predictor, [rb'{"words": ["a\u2028b", "\u00e9"], "id": 1}', SENTENCE], 2)
    sentences = list(records_of(scan_sdp(str(tmp_path / "output"))))
    assert [sentence.tokens[0].form for sentence in sentences] == ["a\u2028b", "We"]


def test_raw_text_for_a_model_of_tags_and_lemmas_is_remarked_on_once(command, caplog):
    caplog.set_level(logging.WARNING)  # a training in the same process has more logged
    parts_of.cache_clear()  # the warnings are given once for a model
    predictor = predictor_of("parser", "syntactic_parser")
    known = {"lemmas": ["we", "know"], "pos": ["PRP", "VBP"]}
    predictor.predict_words(["We", "know"], **known)
    assert not caplog.records
    command(predictor, [b'{"sentence": "We know it"}', b'{"words": ["Go"]}'])
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "lower-cased words stand for" in messages[0] and '"lemmas" in the JSON' in messages[0]
    assert "learned from parts of speech" in messages[1] and "language" in messages[1]
