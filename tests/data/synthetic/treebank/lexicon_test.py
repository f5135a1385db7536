import pytest

from spigot_allennlp.data.synthetic.treebank.lexicon import (
    add_ed,
    add_ing,
    add_s,
    make_noun,
    make_verb,
)


@pytest.mark.parametrize(
    "noun, expected",
    [("critic", "critics"), ("city", "cities"), ("play", "plays"), ("genius", "geniuses")],
)
def test_a_noun_has_its_regular_plural(noun, expected):
    assert add_s(noun) == expected


@pytest.mark.parametrize(
    "verb, doubled, expected",
    [
        ("praise", False, ("praises", "praised", "praising")),
        ("watch", False, ("watches", "watched", "watching")),
        ("try", False, ("tries", "tried", "trying")),
        ("enjoy", False, ("enjoys", "enjoyed", "enjoying")),
        ("plan", True, ("plans", "planned", "planning")),
        ("see", False, ("sees", None, "seeing")),
        ("be", False, (None, None, "being")),
        ("describe", False, ("describes", "described", "describing")),
    ],
)
def test_a_verb_has_its_regular_forms(verb, doubled, expected):
    forms = (add_s(verb), add_ed(verb, doubled), add_ing(verb, doubled))
    assert all(form == due for form, due in zip(forms, expected, strict=True) if due)


def test_irregular_forms_stand_in_the_entry():
    assert make_noun("child/children*", "person", 0)[:2] == ("child", "children")
    assert make_noun("child/children*", "person", 0).relational
    forms = make_verb("forbid/forbade/forbidden", "persuade", -1).forms
    assert [forms[tag] for tag in ("VB", "VBZ", "VBD", "VBN")] == (
        ["forbid", "forbids", "forbade", "forbidden"]
    )
    assert make_verb("plan+", "control", 1).forms["VBG"] == "planning"
