import pytest

from spigot_allennlp.data.synthetic.treebank.function_words import CONJUNCTIONS
from spigot_allennlp.data.synthetic.treebank.lexicon import BE, VERBS, Word
from spigot_allennlp.data.synthetic.treebank.predicate import Form, Predicate, active, inflect
from spigot_allennlp.data.synthetic.treebank.tree import Node, linearize

PRAISE, SEE = (
    next(verb for verb in VERBS[kind].items if verb.lemma == lemma)
    for kind, lemma in (("evaluation", "praise"), ("action", "see"))
)


def praise() -> Predicate:
    return active(PRAISE, "person")


def be_praised() -> Predicate:
    return Predicate(Node(PRAISE.word("VBN")), PRAISE, "passive", "person")


def be_new() -> Predicate:
    new = Node(Word("new", "new", "JJ")).add_left(Node(Word("very", "very", "RB")), "advmod")
    return Predicate(new, BE, "copular", "work")


def text_of(predicate: Predicate) -> str:
    return " ".join(word.form for word in linearize(predicate.node).words)


@pytest.mark.parametrize(
    "predicate, form, expected",
    [
        (praise, Form("past"), "praised"),
        (praise, Form("past", negated=True), "did not praise"),
        (praise, Form("past", negated=True, contracted=True), "did n't praise"),
        (praise, Form("present"), "praises"),
        (praise, Form("present", plural=True), "praise"),
        (praise, Form("present", plural=True, negated=True), "do not praise"),
        (praise, Form("future", negated=True, contracted=True), "will not praise"),
        (praise, Form("perfect"), "has praised"),
        (praise, Form("infinitive"), "to praise"),
        (praise, Form("infinitive", negated=True), "not to praise"),
        (praise, Form("gerund"), "praising"),
        (be_praised, Form("past", plural=True), "were praised"),
        (be_praised, Form("future", negated=True), "will not be praised"),
        (be_praised, Form("perfect", plural=True), "have been praised"),
        (be_praised, Form("infinitive"), "to be praised"),
        (be_praised, Form("gerund"), "being praised"),
        (be_new, Form("present", negated=True), "is not very new"),
        (be_new, Form("infinitive"), "to be very new"),
    ],
)
def test_a_predicate_gets_its_auxiliaries(predicate, form, expected):
    assert text_of(inflect(predicate(), form)) == expected


@pytest.mark.parametrize(
    "form, expected",
    [
        (Form("past", negated=True), "was not quietly praised"),
        (Form("infinitive", negated=True), "not to quietly be praised"),
        (Form("perfect"), "has quietly been praised"),
    ],
)
def test_an_adverb_stands_after_the_first_auxiliary(form, expected):
    predicate = be_praised()
    predicate.preverbal = Word("quietly", "quietly", "RB")
    assert text_of(inflect(predicate, form)) == expected


@pytest.mark.parametrize(
    "shares, form, expected",
    [
        (True, Form("past", negated=True), "did not praise and see"),
        (False, Form("past", negated=True), "did not praise and saw"),
        (True, Form("past"), "praised and saw"),
        (True, Form("perfect"), "has praised and seen"),
        (False, Form("infinitive"), "to praise and see"),
    ],
)
def test_a_conjunct_shares_the_auxiliaries_or_has_its_own_form(shares, form, expected):
    first, second = praise(), active(SEE, "person")
    first.node.add_right(Node(CONJUNCTIONS["and"]), "cc").add_right(second.node, "conj")
    first.conjuncts.append(second)
    second.shares_auxiliaries = shares
    assert text_of(inflect(first, form)) == expected


def test_the_last_auxiliary_says_which_kind_of_predicate_it_is():
    for predicate, relation in ((be_praised(), "auxpass"), (be_new(), "cop"), (praise(), "aux")):
        inflect(predicate, Form("future"))
        auxiliaries = [child.relation for child in predicate.node.left if child.word.pos[0] in "MV"]
        assert auxiliaries[-1] == relation
