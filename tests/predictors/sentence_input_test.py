import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.predictors.sentence_input import check_input


@pytest.mark.parametrize(
    "inputs",
    [
        {"sentence": "We know."},
        {"sentence": "We know.", "id": 12},
        {"words": ["We"]},
        {"words": ["New York"], "lemmas": ["x"], "pos": ["_"], "tags": ["_"], "id": "a b"},
    ],
)
def test_what_a_predictor_may_be_asked_is_accepted(inputs):
    check_input(inputs)


@pytest.mark.parametrize(
    "inputs, reason",
    [
        (["We"], "JSON object"),
        ({}, 'either "sentence"'),
        ({"sentence": "a", "words": ["a"]}, 'either "sentence"'),
        ({"sentence": ""}, '"sentence" must hold'),
        ({"sentence": " \n"}, '"sentence" must hold'),
        ({"sentence": None}, '"sentence" must hold'),
        ({"sentence": "a", "pos": ["X"]}, r"\['pos'\]"),
        ({"words": []}, '"words" must be a list of at least one'),
        ({"words": "We know"}, '"words" must be a list of at least one'),
        ({"words": ["a", ""]}, 'entry 2 of "words"'),
        ({"words": ["a", 3]}, 'entry 2 of "words"'),
        ({"words": ["a\tb"]}, 'entry 1 of "words"'),
        ({"words": ["a", "b"], "lemmas": ["a"]}, '"lemmas" must be a list of 2'),
        ({"words": ["a", "b"], "pos": "XY"}, '"pos" must be a list of 2'),
        ({"words": ["a"], "tags": [None]}, 'entry 1 of "tags"'),
        ({"words": ["a"], "lemma": ["a"]}, r"unknown keys \['lemma'\].*'lemmas'"),
        ({"words": ["a"], "id": ["a"]}, '"id" must be'),
        ({"words": ["a"], "id": "a\nb"}, '"id" must be'),
        ({"words": ["a"], "id": "a\r"}, '"id" must be'),
        ({"words": ["a"], "id": "a\0"}, '"id" must be'),
        ({"words": ["a"], "id": True}, '"id" must be'),
        ({"words": ["a"], "id": "a\ud83d"}, 'character 2 of "id" is .* half of a character'),
        ({"words": ["a", "\ud83d"]}, 'character 1 of entry 2 of "words"'),
        ({"words": ["a"], "pos": ["\udce9"]}, 'entry 1 of "pos" is the byte 0xe9'),
        ({"sentence": "cut \ud83d"}, 'character 5 of "sentence"'),
    ],
)
def test_what_cannot_is_refused_by_the_name_of_its_key(inputs, reason):
    with pytest.raises(ConfigurationError, match=reason):
        check_input(inputs)
