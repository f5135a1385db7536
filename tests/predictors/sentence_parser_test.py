import re
import subprocess
import sys

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model

import spigot_allennlp

CHAIN = [(1, 2, "ARG1"), (2, 3, "ARG1")]


def test_importing_the_package_imports_nothing_that_is_heavy():
    text = (
        "import sys, spigot_allennlp; spigot_allennlp.load; "
        "print({name.split('.')[0] for name in sys.modules} & {'allennlp', 'torch', 'numpy'})"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_text_tokens_and_a_dictionary_are_a_sentence(make_archive):
    parser = spigot_allennlp.load(make_archive())
    for sentence in ("We know it", ["We", "know", "it"], {"words": ["We", "know", "it"]}):
        parse = parser.parse(sentence)
        assert parse.tokens == ["We", "know", "it"]
        assert (parse.tree.heads, parse.tree.labels) == ([0, 1, 2], ["dep"] * 3)
        assert (parse.graph.arcs, parse.graph.tops) == (CHAIN, [1])
        assert parse.sentiment is None


def test_a_list_of_sentences_gives_a_list_in_their_order(make_archive, monkeypatch):
    parser = spigot_allennlp.load(make_archive())
    monkeypatch.setattr(parser.predictor, "window", 2)
    texts = ["It rains", "We know it", "Go on , then"]
    for sentences in (texts, [text.split() for text in texts], [texts[0], *map(str.split, texts)]):
        parses = parser.parse(sentences)
        assert [parse.tokens for parse in parses] == [
            sentence.split() if isinstance(sentence, str) else sentence for sentence in sentences
        ]
    assert [parse.tokens for parse in parser.parse_all(["Go", "Stop"])] == [["Go"], ["Stop"]]
    assert parser.parse([]) == []


@pytest.mark.parametrize("option", ["on_error", "input", "output"])
def test_options_of_lines_are_refused(option):
    with pytest.raises(ConfigurationError, match=f"^{option}: .*reads and writes no lines"):
        spigot_allennlp.load("any.tar.gz", **{option: "report"})


def test_what_is_no_sentence_is_refused_with_the_way_out(make_archive):
    parser = spigot_allennlp.load(make_archive())
    with pytest.raises(ConfigurationError, match=r"'New York'.*\"words\".*parse_all"):
        parser.parse(["New York", "sleeps"])
    with pytest.raises(ConfigurationError, match="Sentence 2 is of type int. Give a text"):
        parser.parse([["Go"], 3])
    with pytest.raises(ConfigurationError, match='Sentence 2: "sentence" must hold some text'):
        parser.parse([["Go"], " "])
    with pytest.raises(ConfigurationError, match="Sentence 1 is of type int. Give a text"):
        parser.parse(5)


def parsed_before_error(parser, sentences):
    """Returns the tokens of the parses that came, and the error that came then."""
    parsed = []
    with pytest.raises(ConfigurationError) as raised:
        for parse in parser.parse_all(sentences):
            parsed.append(parse.tokens)
    return parsed, str(raised.value)


@pytest.mark.parametrize("window", [2, 1024])
@pytest.mark.parametrize(
    "bad, message",
    [
        ("x " * 12, "Sentence 3: the sentence has 12 words, .*in Python load.archive, max_words=1"),
        ("fails here", "Sentence 3: RuntimeError: boom[.]$"),
        (
            "memory here",
            "Sentence 3: it takes more memory than there is: you tried to allocate 9[.]$",
        ),
        ({"words": []}, 'Sentence 3: "words" must be a list of at least one word'),
        (7, "Sentence 3 is of type int"),
    ],
)
def test_an_error_names_its_sentence_and_those_before_have_their_parses(
    make_archive, monkeypatch, bad, message, window
):
    parser = spigot_allennlp.load(make_archive(), max_words=10)
    monkeypatch.setattr(parser.predictor, "window", window)
    run = parser.predictor.run

    def run_or_fail(instances):
        words = {token.text for instance in instances for token in instance["tokens"]}
        if "fails" in words:
            raise RuntimeError("boom")
        if "memory" in words:
            raise RuntimeError("you tried to allocate 9.")
        return run(instances)

    monkeypatch.setattr(parser.predictor, "run", run_or_fail)
    parsed, error = parsed_before_error(parser, ["We know", "It rains", bad, "Go on"])
    assert parsed == [["We", "know"], ["It", "rains"]]
    assert re.match(message, error)


def test_a_classifier_gives_sentiment_and_the_graph_behind_it(make_archive):
    archive = make_archive(model={"type": "length_classifier"}, dataset_reader={"type": "sst"})
    parse = spigot_allennlp.load(archive).parse("What a fine film")
    assert parse.sentiment.label == "positive"
    assert parse.sentiment.probabilities == pytest.approx({"negative": 0, "positive": 1}, abs=1e-6)
    assert (parse.tree, parse.graph.arcs) == (None, [(1, 1, "ARG1")])


def test_a_model_that_parses_nothing_is_refused(make_archive, monkeypatch):
    archive = make_archive()
    monkeypatch.setattr("tests.predictors.conftest.ChainParser.default_predictor", "spiking")
    with pytest.raises(ConfigurationError) as raised:
        spigot_allennlp.load(archive)
    assert "'chain_parser', which parses no sentences" in str(raised.value)
    assert "default_predictor 'spiking'" in str(raised.value)


def test_a_class_that_was_not_imported_is_refused_with_the_way_out(make_archive, monkeypatch):
    archive = make_archive()
    monkeypatch.delitem(Model._registry[Model], "chain_parser")
    with pytest.raises(ConfigurationError, match="In Python, import the module of the class"):
        spigot_allennlp.load(archive)
