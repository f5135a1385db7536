import pytest
import torch

from spigot_allennlp.models.parsing_model import is_punctuation, punctuation_mask, without_dropout


@pytest.mark.parametrize(
    "form", [".", ",", "''", "--", "...", "“", "’", "、", "(", "%", "&", "#", "_"]
)
def test_a_form_of_unicode_punctuation_alone_is_punctuation(form):
    assert is_punctuation(form)


@pytest.mark.parametrize("form", ["", "a", "U.S.", "'s", "``", "$", "+", "-LRB-", "10%", " "])
def test_any_other_character_makes_it_a_word(form):
    assert not is_punctuation(form)


def test_tokens_of_which_no_word_is_known_are_no_punctuation():
    metadata = [{"words": ["a", "."]}, {"id": "7"}]
    marks = punctuation_mask(metadata, torch.zeros(2, 2))
    assert marks.tolist() == [[False, True], [False, False]]


def test_dropout_is_off_within_and_as_before_after_it_also_after_an_error():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Dropout(0.5))
    module[0].eval()
    inputs = torch.randn(3, 4)
    try:
        with without_dropout(module):
            assert torch.equal(module(inputs), module(inputs))
            raise KeyError
    except KeyError:
        pass
    assert [part.training for part in module.modules()] == [True, False, True]
    assert not torch.equal(module(inputs), module(inputs))


def test_a_recurrent_layer_stays_in_training_mode_but_drops_nothing():
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(4, 8, num_layers=2, dropout=0.5, batch_first=True)
    inputs = torch.randn(2, 3, 4)
    with without_dropout(lstm):
        assert lstm.training
        assert torch.equal(lstm(inputs)[0], lstm(inputs)[0])
    assert lstm.dropout == 0.5


def test_gradients_flow_without_dropout():
    linear = torch.nn.Linear(4, 2)
    with without_dropout(linear):
        linear(torch.ones(1, 4)).sum().backward()
    assert linear.weight.grad is not None
