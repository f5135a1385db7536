"""Whatever is wrong with `--predictor-args`, of any predictor, is said in a line."""

from typing import List

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.predictors import Predictor

from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.compat.predictors import check_options, predictor_name_of
from tests.predictors.conftest import make_archive  # noqa: F401  (a fixture)
from tests.predictors.predict_command import predict


@Predictor.register("of_somebody_else")
class OthersPredictor(Predictor):
    """It takes options that its constructor does not name."""

    def __init__(
        self, model, dataset_reader, frozen=True, size: int = None, roles: List[str] = (), **others
    ):
        super().__init__(model, dataset_reader, frozen)
        if others.keys() - {"colour"}:
            raise TypeError(f"an unexpected keyword argument {sorted(others)[0]}")
        self.size = size

    def _json_to_instance(self, json_dict):
        return self._dataset_reader.text_to_instance(words=json_dict["words"])


@pytest.mark.parametrize(
    "options, line",
    [
        (["{"], "--predictor-args is no JSON"),
        (["[]"], "no JSON object"),
        (['"max_words"'], "no JSON object"),
        (['{"max_word": 3}'], "no option 'max_word', but arc_probabilities.* mean max_words"),
        (['{"max_words": "many"}'], "max_words must be a number but is 'many'"),
        (['{"max_words": 0}'], "max_words must be at least 1 but is 0"),
        (['{"on_error": "no"}'], 'on_error is "no", but must be one of raise, report'),
        (['{"language": "xx_nope"}'], "'xx_nope' is not installed"),
        (["", "--predictor", "parsr"], "'parsr' is not a registered name.*'parser'"),
        (['{"colors": 1}', "--predictor", "of_somebody_else"], "no option 'colors', but .* size"),
    ],
)
def test_what_is_wrong_with_the_options_is_a_line(make_archive, tmp_path, options, line):  # noqa: F811
    with pytest.raises(SystemExit, match=line):
        predict(make_archive(), tmp_path, '{"words": ["Go"]}', "--predictor-args", *options)


def test_a_constructor_may_take_options_that_it_does_not_name(make_archive, tmp_path):  # noqa: F811
    options = "--predictor", "of_somebody_else", "--predictor-args", '{"colour": 1, "size": null}'
    assert predict(make_archive(), tmp_path, '{"words": ["Go"]}', *options)


def test_a_default_is_of_the_type_of_its_option():
    check_options(OthersPredictor, {"size": None, "roles": ["ARG1"]})
    with pytest.raises(
        ConfigurationError, match="size is 'x', but has to be a whole number"
    ) as raised:
        check_options(OthersPredictor, {"size": "x"})
    assert message_of(raised.value)


def test_a_reader_may_have_another_predictor_in_the_place_of_a_default():
    class Classifier:
        default_predictor = "text_classifier"

    class Reader:
        predictors_instead = {"text_classifier": "sentiment"}

    assert predictor_name_of(Classifier, Reader()) == "sentiment"
    assert predictor_name_of(Classifier, object()) == "text_classifier"
