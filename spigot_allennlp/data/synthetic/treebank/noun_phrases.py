"""The productions of noun phrases."""

from typing import Optional

from spigot_allennlp.data.synthetic.treebank import coined
from spigot_allennlp.data.synthetic.treebank.draw import weighted
from spigot_allennlp.data.synthetic.treebank.entries import Noun, Word
from spigot_allennlp.data.synthetic.treebank.function_words import (
    COMMA,
    CONJUNCTIONS,
    INDEFINITE_BEFORE_VOWEL,
    NOBODY,
    NOTHING,
    OBJECT_PRONOUNS,
    PLURAL_DETERMINERS,
    PLURAL_PRONOUNS,
    POSSESSIVE,
    POSSESSIVE_AFTER_S,
    POSSESSIVE_PRONOUNS,
    PREPOSITIONS,
    SINGULAR_DETERMINERS,
    SUBJECT_PRONOUNS,
)
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation, production
from spigot_allennlp.data.synthetic.treebank.node import Node
from spigot_allennlp.data.synthetic.treebank.nouns import NOUNS, RELATIONAL
from spigot_allennlp.data.synthetic.treebank.slots import MASS, PERSONS, SLOTS

_CONJUNCTION = weighted(**{"and": 4, "or": 1})


def noun_phrase(g: Derivation, slot: str, case: str = "object", plain: bool = False) -> Node:
    """
    A noun phrase for a slot.

    # Parameters

    g : `Derivation`
    slot : `str`
        One of `SLOTS`.
    case : `str`, optional (default = `"object"`)
        "subject" or "object": of a pronoun.
    plain : `bool`, optional (default = `False`)
        Without coordination and without anything after the noun.
    """
    kind = g.draw.pick(SLOTS[slot])
    plain = plain or (g.depth > 0 and g.draw.chance(0.7))
    if kind == "person":
        return g.expand("plain person" if plain else "person", kind, case)
    return g.expand("plain thing" if plain else "thing", kind, case)


@production("person", 6)
@production("plain person", 24)
def pronoun(g: Derivation, kind: str, case: str) -> Node:
    """she"""
    word = g.draw.pick(SUBJECT_PRONOUNS if case == "subject" else OBJECT_PRONOUNS)
    return Node(word, plural=word.form in PLURAL_PRONOUNS)


@production("person", 8)
@production("plain person", 6)
def nobody(g: Derivation, kind: str, case: str) -> Node:
    """nobody; nobody who saw the film"""
    return _none(g, NOBODY, kind, case)


@production("thing", 5)
def nothing(g: Derivation, kind: str, case: str) -> Node:
    """nothing; nothing in the theatre"""
    return _none(g, NOTHING, kind, case) if kind == "work" else common_noun(g, kind, case)


def _none(g: Derivation, word: Word, kind: str, case: str) -> Node:
    node = Node(word)
    if case == "subject":
        g.expand("subject modifier", node, kind)
    return node


@production("person", 7)
@production("plain person", 24)
@production("owner", 1)
def name(g: Derivation, kind: str, case: str) -> Node:
    """Anna Marlow"""
    node = Node(coined.surname(g.draw))
    return node.before(Node(coined.first_name(g.draw)), "nn") if g.draw.chance(0.4) else node


@production("person", 2)
def name_with_apposition(g: Derivation, kind: str, case: str) -> Node:
    """Marlow , the singer ,"""
    if case != "subject":
        return name(g, kind, case)
    node = name(g, kind, case).after(Node(COMMA), "punct")
    node.after(plain_common_noun(g, kind, case), "appos")
    return node.after(Node(COMMA), "punct")


@production("person", 2)
@production("thing", 2)
def numbered(g: Derivation, kind: str, case: str) -> Node:
    """five critics"""
    if kind in MASS:
        return plain_common_noun(g, kind, case)
    node = Node(g.draw.pick(NOUNS[kind]).word(many=True), plural=True)
    node.before(Node(coined.number(g.draw)), "num")
    g.expand("adjectives", node, kind)
    return node


@production("plain person", 52)
@production("plain thing", 1)
@production("owner", 1)
def plain_common_noun(g: Derivation, kind: str, case: str) -> Node:
    """the old film"""
    return _determined(g, g.draw.pick(NOUNS[kind]), kind)


@production("person", 40)
@production("thing", 56)
def common_noun(g: Derivation, kind: str, case: str) -> Node:
    """the old film, perhaps with something that follows"""
    node = plain_common_noun(g, kind, case)
    if kind not in MASS:
        g.expand("subject modifier" if case == "subject" else "noun modifier", node, kind)
    return node


@production("person", 4)
@production("thing", 6)
def relational_noun(g: Derivation, kind: str, case: str) -> Node:
    """the friend of the singer"""
    if kind not in RELATIONAL:
        return common_noun(g, kind, case)
    noun = g.draw.pick(RELATIONAL[kind])
    node = _determined(g, noun, kind)
    slot = "person" if kind == "work" or kind in PERSONS and noun.lemma != "director" else "work"
    preposition = Node(PREPOSITIONS["of"])
    preposition.after(noun_phrase(g, slot, plain=g.depth > 0), "pobj")
    node.after(preposition, "prep")
    if g.chance(0.15):
        g.expand("relative clause", node, kind)
    return node


@production("person", 4)
@production("thing", 4)
def coordinated(g: Derivation, kind: str, case: str) -> Node:
    """the films and the plays; new films and plays"""
    node = plain_common_noun(g, kind, case)
    conjunction = CONJUNCTIONS[g.draw.pick(_CONJUNCTION)]
    if kind not in MASS and g.draw.chance(0.15):
        node.after(Node(COMMA), "punct")
        node.after(plain_common_noun(g, kind, case), "conj")
    bare = node.plural and g.draw.chance(0.5)
    noun = g.draw.pick(NOUNS[kind])
    last = Node(noun.word(many=True), plural=True) if bare else _determined(g, noun, kind)
    node.after(Node(conjunction), "cc").after(last, "conj")
    node.plural = conjunction.form == "and" or last.plural
    if kind not in MASS and g.chance(0.5):
        # After the conjuncts: of both, or of the last alone.
        g.expand("noun modifier", node if g.draw.chance(0.4) else last, kind)
    return node


def _determined(g: Derivation, noun: Noun, kind: str) -> Node:
    many = kind not in MASS and g.draw.chance(0.3)
    node = Node(noun.word(many), plural=many)
    g.expand("adjectives", node, kind)
    determiner = _determiner(g, kind, many)
    if determiner is None:
        return node
    if determiner.word.form == "a" and _first_word(node).form[0].lower() in "aeiou":
        determiner.word = INDEFINITE_BEFORE_VOWEL
    return node.in_front(determiner, determiner.relation)


def _determiner(g: Derivation, kind: str, many: bool) -> Optional[Node]:
    if kind in MASS:
        return None
    if g.draw.chance(0.06):
        return Node(g.draw.pick(POSSESSIVE_PRONOUNS)).related("poss")
    if g.draw.chance(0.04):
        owner = g.expand("owner", "person", "object")
        after_s = owner.word.pos == "NNS" and owner.word.form.endswith("s")
        sign = Node(POSSESSIVE_AFTER_S if after_s else POSSESSIVE)
        return owner.after(sign, "possessive").related("poss")
    if many:
        return None if g.draw.chance(0.15) else Node(g.draw.pick(PLURAL_DETERMINERS)).related("det")
    return Node(g.draw.pick(SINGULAR_DETERMINERS)).related("det")


def _first_word(node: Node) -> Word:
    while node.left:
        node = node.left[0]
    return node.word
