import pytest

from spigot_allennlp.models.parsing_model import is_punctuation


@pytest.mark.parametrize(
    "form", [".", ",", "''", "--", "...", "“", "’", "、", "(", "%", "&", "#", "_"]
)
def test_a_form_of_unicode_punctuation_alone_is_punctuation(form):
    assert is_punctuation(form)


@pytest.mark.parametrize("form", ["", "a", "U.S.", "'s", "``", "$", "+", "-LRB-", "10%", " "])
def test_any_other_character_makes_it_a_word(form):
    assert not is_punctuation(form)
