import pytest
import spacy
from allennlp.common.checks import ConfigurationError
from allennlp.data.tokenizers import WhitespaceTokenizer

from spigot_allennlp.predictors.word_analysis import WordAnalysis


@pytest.fixture
def tagger(tmp_path):
    """A spaCy pipeline on disk that knows one word."""
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": "knew"}]], {"TAG": "VBD", "POS": "VERB", "LEMMA": "know"})
    pipeline.to_disk(tmp_path / "pipeline")
    return str(tmp_path / "pipeline")


def test_without_a_tagger_lemmas_are_lower_cased_words_and_tags_are_not_given():
    for sentence in (
        WordAnalysis().of_text("We don't."),
        WordAnalysis(language="blank:en").of_text("We don't."),
    ):
        assert sentence.words == ["We", "do", "n't", "."]
        assert sentence.lemmas == ["we", "do", "n't", "."]
        assert sentence.pos == sentence.tags == ["_"] * 4


@pytest.mark.parametrize("feature, tag", [("tag_", "VBD"), ("pos_", "VERB")])
def test_a_pipeline_gives_its_lemmas_and_tags_to_text_and_to_words(tagger, feature, tag):
    analysis = WordAnalysis(language=tagger, pos_feature=feature)
    for sentence in (analysis.of_text("We knew"), analysis.of_words(["We", "knew"])):
        assert sentence.words == ["We", "knew"]
        assert sentence.lemmas == ["we", "know"]
        assert sentence.pos == ["_", tag]
        assert sentence.tags == ["_", "VBD"]


def test_given_words_are_not_tokenized_again():
    assert WordAnalysis().of_words(["don't", "New York"]).words == ["don't", "New York"]


@pytest.mark.parametrize("tokenizer", ["whitespace", {"type": "whitespace"}, WhitespaceTokenizer()])
def test_any_tokenizer_can_be_chosen(tokenizer):
    analysis = WordAnalysis(tokenizer=tokenizer)
    assert analysis.of_text("We don't know.").words == ["We", "don't", "know."]
    assert analysis.of_words(["A", "b"]).lemmas == ["a", "b"]


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"language": "xx_no_such_pipeline"}, "spacy download xx_no_such_pipeline"),
        ({"language": "blank:en", "tokenizer": "whitespace"}, "Leave one out"),
        ({"pos_feature": "pos"}, "must be one of .*tag_"),
    ],
)
def test_a_wrong_option_is_named_with_the_way_out(options, reason):
    with pytest.raises(ConfigurationError, match=reason):
        WordAnalysis(**options)
