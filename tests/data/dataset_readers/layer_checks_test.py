import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.dataset_readers.layer_checks import check_layers, check_positions


def test_layers_that_fit_pass():
    check_layers(["a", "b"], lemmas=["a", "b"], pos=None)
    check_positions(2, [0, 1], [(2, 1, "ARG1")], [2])
    check_positions(2, None, None, None)


def test_a_layer_of_another_length_is_named():
    with pytest.raises(ConfigurationError, match=r"3 lemmas for 2 words: \['a', 'b'\]"):
        check_layers(["a", "b"], lemmas=["a", "b", "c"])


def test_a_sentence_has_a_word():
    with pytest.raises(ConfigurationError, match="without words"):
        check_layers([])


@pytest.mark.parametrize(
    "layers, wrong",
    [
        (([3, 0], None, None), 3),
        (([-1, 0], None, None), -1),
        ((None, [(0, 1, "r")], None), 0),
        ((None, [(1, 3, "r")], None), 3),
        ((None, None, [0]), 0),
    ],
)
def test_a_position_outside_the_sentence_is_named(layers, wrong):
    with pytest.raises(ConfigurationError, match=rf"\[{wrong}\] are outside .* 2 words"):
        check_positions(2, *layers)
