"""
The productions of noun phrases: nouns, names and pronouns, with modifiers before and after them.

`noun_phrase` is the entry point. Its slot is what a verb or a preposition requires. The kind of
noun that fills it (see `lexicon.py`) is chosen first. Only the kind "person" is expanded with the
symbol "person", which has productions for pronouns and names. All other kinds, including heroes and
villains, use the symbol "thing". The docstring of a production is an example of what it builds.
"""

from typing import Optional

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
from spigot_allennlp.data.synthetic.treebank.lexicon import (
    ADVERBS,
    JUDGING_ADJECTIVES,
    NEUTRAL_ADJECTIVES,
    NOUNS,
    RELATIONAL_NOUNS,
    Noun,
    Word,
    random_comparison,
    random_first_name,
    random_number,
    random_surname,
)
from spigot_allennlp.data.synthetic.treebank.sampling import weighted
from spigot_allennlp.data.synthetic.treebank.tree import Node

#: The slots of predicates and prepositions, each with the kinds of noun that fill it (the
#: selectional preferences).
SLOTS = {
    "person": weighted(person=8, hero=1, villain=1),
    "doer": weighted(person=6, hero=1, villain=1),
    "patient": weighted(person=5, work=2, villain=1.7, hero=1.5, success=0.1, disaster=0.2),
    "faring": weighted(person=6, hero=2, villain=2),
    "work": weighted(work=6, part=2, success=0.4, disaster=0.4),
    "theme": weighted(work=6, part=2, person=2, success=0.5, disaster=0.5),
    "quality": weighted(merit=1, flaw=1),
    "verdict": weighted(success=1, disaster=1),
    "part": weighted(part=1),
    "instrument": weighted(instrument=1),
    "manner": weighted(manner=1),
    "place": weighted(place=1),
    "occasion": weighted(occasion=1),
}
#: The slots of subjects that can act on purpose.
SLOTS_OF_PERSONS = frozenset(("person", "doer", "faring"))
#: The kinds of noun for persons, and for works and their parts.
PERSONS = frozenset(("person", "hero", "villain"))
WORKS = frozenset(("work", "success", "disaster", "part"))
# The kinds without a plural or an article.
_MASS = frozenset(("manner", "merit"))

_CONJUNCTION = weighted(**{"and": 4, "or": 1})
_COMPOUND_KINDS = weighted(work=3, occasion=1.5, place=1.5, instrument=0.5)
_WITH = weighted(**{"with": 4, "without": 1})
_WHERE_OF_PERSONS = weighted(**{"in": 3, "near": 2, "from": 3})
_WHERE = weighted(**{"from": 2, "in": 1})
# What a person, and what a work, is "with".
_POSSESSIONS = weighted(instrument=3, quality=1)
_PARTS = weighted(part=1)
_QUALITIES = weighted(quality=1)


def noun_phrase(g: Derivation, slot: str, case: str = "object", plain: bool = False) -> Node:
    """
    Builds a noun phrase for a slot.

    # Parameters

    g : `Derivation`
    slot : `str`
        One of `SLOTS`.
    case : `str`, optional (default = `"object"`)
        The case of a pronoun: "subject" or "object".
    plain : `bool`, optional (default = `False`)
        Whether the phrase has no coordination, and nothing after the noun (except for "nobody").
    """
    kind = g.choose(SLOTS[slot])
    plain = plain or (g.depth > 0 and g.chance(0.7))
    if kind == "person":
        return g.expand("plain person" if plain else "person", kind, case)
    return g.expand("plain thing" if plain else "thing", kind, case)


def prepositional_phrase(g: Derivation, preposition: str, slot: str, plain: bool = False) -> Node:
    """Builds a preposition with its noun phrase; see `noun_phrase` for `slot` and `plain`."""
    return Node(PREPOSITIONS[preposition]).add_right(noun_phrase(g, slot, plain=plain), "pobj")


# ---- "person", "thing", "owner": whole noun phrases


@production("person", 6)
@production("plain person", 24)
def pronoun(g: Derivation, kind: str, case: str) -> Node:
    """she"""
    word = g.choose(SUBJECT_PRONOUNS if case == "subject" else OBJECT_PRONOUNS)
    return Node(word, plural=word.form in PLURAL_PRONOUNS)


@production("person", 8)
@production("plain person", 6)
def nobody(g: Derivation, kind: str, case: str) -> Node:
    """nobody; nobody who saw the film"""
    return _negative_pronoun(g, NOBODY, kind, case)


@production("thing", 5)
def nothing(g: Derivation, kind: str, case: str) -> Node:
    """nothing; nothing in the theatre"""
    if kind != "work":
        return common_noun(g, kind, case)
    return _negative_pronoun(g, NOTHING, kind, case)


def _negative_pronoun(g: Derivation, word: Word, kind: str, case: str) -> Node:
    node = Node(word)
    if case == "subject":
        g.expand("subject modifier", node, kind)
    return node


@production("person", 7)
@production("plain person", 24)
@production("owner", 1)
def name(g: Derivation, kind: str, case: str) -> Node:
    """Anna Marlow"""
    node = Node(random_surname(g.sampler))
    return node.add_left(Node(random_first_name(g.sampler)), "nn") if g.chance(0.4) else node


@production("person", 2)
def name_with_apposition(g: Derivation, kind: str, case: str) -> Node:
    """Marlow , the singer ,"""
    if case != "subject":
        return name(g, kind, case)
    node = name(g, kind, case).add_right(Node(COMMA), "punct")
    node.add_right(plain_common_noun(g, kind, case), "appos")
    return node.add_right(Node(COMMA), "punct")


@production("person", 2)
@production("thing", 2)
def numbered(g: Derivation, kind: str, case: str) -> Node:
    """five critics"""
    if kind in _MASS:
        return plain_common_noun(g, kind, case)
    node = Node(g.choose(NOUNS[kind]).word(plural=True), plural=True)
    node.add_left(Node(random_number(g.sampler)), "num")
    g.expand("adjectives", node, kind)
    return node


@production("plain person", 52)
@production("plain thing", 1)
@production("owner", 1)
def plain_common_noun(g: Derivation, kind: str, case: str) -> Node:
    """the old film"""
    return _determined(g, g.choose(NOUNS[kind]), kind)


@production("person", 40)
@production("thing", 56)
def common_noun(g: Derivation, kind: str, case: str) -> Node:
    """the old film; the old film about the thief"""
    node = plain_common_noun(g, kind, case)
    if kind not in _MASS:
        g.expand("subject modifier" if case == "subject" else "noun modifier", node, kind)
    return node


@production("person", 4)
@production("thing", 6)
def relational_noun(g: Derivation, kind: str, case: str) -> Node:
    """the friend of the singer"""
    if kind not in RELATIONAL_NOUNS:
        return common_noun(g, kind, case)
    noun = g.choose(RELATIONAL_NOUNS[kind])
    node = _determined(g, noun, kind)
    slot = "person" if kind == "work" or kind in PERSONS and noun.lemma != "director" else "work"
    node.add_right(prepositional_phrase(g, "of", slot, plain=g.depth > 0), "prep")
    if g.shallow_chance(0.15):
        g.expand("relative clause", node, kind)
    return node


@production("person", 4)
@production("thing", 4)
def coordinated(g: Derivation, kind: str, case: str) -> Node:
    """the films and the plays; new films and plays"""
    node = plain_common_noun(g, kind, case)
    conjunction = CONJUNCTIONS[g.choose(_CONJUNCTION)]
    if kind not in _MASS and g.chance(0.15):
        node.add_right(Node(COMMA), "punct")
        node.add_right(plain_common_noun(g, kind, case), "conj")
    bare = node.plural and g.chance(0.5)
    noun = g.choose(NOUNS[kind])
    last = Node(noun.word(plural=True), plural=True) if bare else _determined(g, noun, kind)
    node.add_right(Node(conjunction), "cc").add_right(last, "conj")
    node.plural = conjunction.form == "and" or last.plural
    if kind not in _MASS and g.shallow_chance(0.5):
        # A modifier after the conjuncts belongs to both, or only to the last one.
        g.expand("noun modifier", node if g.chance(0.4) else last, kind)
    return node


def _determined(g: Derivation, noun: Noun, kind: str) -> Node:
    """Builds a noun with its adjectives and, if it takes one, its determiner."""
    plural = kind not in _MASS and g.chance(0.3)
    node = Node(noun.word(plural), plural=plural)
    g.expand("adjectives", node, kind)
    determiner = _determiner(g, kind, plural)
    if determiner is None:
        return node
    if determiner.word.form == "a" and node.first_word().form[0].lower() in "aeiou":
        determiner.word = INDEFINITE_BEFORE_VOWEL
    return node.add_leftmost(determiner, determiner.relation)


def _determiner(g: Derivation, kind: str, plural: bool) -> Optional[Node]:
    if kind in _MASS:
        return None
    if g.chance(0.06):
        return Node(g.choose(POSSESSIVE_PRONOUNS)).related("poss")
    if g.chance(0.04):
        owner = g.expand("owner", "person", "object")
        after_s = owner.word.pos == "NNS" and owner.word.form.endswith("s")
        sign = Node(POSSESSIVE_AFTER_S if after_s else POSSESSIVE)
        return owner.add_right(sign, "possessive").related("poss")
    if plural:
        return None if g.chance(0.15) else Node(g.choose(PLURAL_DETERMINERS)).related("det")
    return Node(g.choose(SINGULAR_DETERMINERS)).related("det")


# ---- "adjectives": what stands between determiner and noun


def adjective(g: Derivation, kind: str, judging: bool) -> Node:
    """Builds an adjective for a noun of this kind, now and then with an adverb of degree."""
    table = JUDGING_ADJECTIVES if judging else NEUTRAL_ADJECTIVES
    node = Node(g.choose(table[_class_of_adjectives(kind)]).adjective())
    if g.chance(0.1):
        node.add_left(Node(g.choose(ADVERBS["degree"]).adverb()), "advmod")
    return node


def _class_of_adjectives(kind: str) -> str:
    if kind in PERSONS:
        return "person"
    return "work" if kind in WORKS else "any"


@production("adjectives", 96)
def no_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """film"""


@production("adjectives", 14)
def neutral_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """new film"""
    noun.add_left(adjective(g, kind, judging=False), "amod")


@production("adjectives", 9)
def judging_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """boring film"""
    noun.add_left(adjective(g, kind, judging=_class_of_adjectives(kind) != "any"), "amod")


@production("adjectives", 1)
def comparing_adjective(g: Derivation, noun: Node, kind: str) -> None:
    """garden-like film"""
    noun.add_left(Node(random_comparison(g.sampler)), "amod")


@production("adjectives", 2)
def two_adjectives(g: Derivation, noun: Node, kind: str) -> None:
    """boring new film"""
    judging_adjective(g, noun, kind)
    neutral_adjective(g, noun, kind)


@production("adjectives", 2)
def coordinated_adjectives(g: Derivation, noun: Node, kind: str) -> None:
    """long and boring film"""
    first = adjective(g, kind, judging=False)
    first.add_right(Node(CONJUNCTIONS["and"]), "cc")
    noun.add_left(first.add_right(adjective(g, kind, judging=True), "conj"), "amod")


@production("adjectives", 4)
def compound(g: Derivation, noun: Node, kind: str) -> None:
    """film critic"""
    noun.add_left(_first_of_compound(g), "nn")


@production("adjectives", 3)
def adjective_of_compound(g: Derivation, noun: Node, kind: str) -> None:
    """boring (film critic): the critic is"""
    judging_adjective(g, noun, kind)
    compound(g, noun, kind)


@production("adjectives", 3)
def adjective_in_compound(g: Derivation, noun: Node, kind: str) -> None:
    """(boring film) critic: the film is"""
    first = _first_of_compound(g)
    first.add_left(adjective(g, "work", judging=g.chance(0.6)), "amod")
    noun.add_left(first, "nn")


def _first_of_compound(g: Derivation) -> Node:
    return Node(g.choose(NOUNS[g.choose(_COMPOUND_KINDS)]).word())


# ---- "noun modifier", "subject modifier": what follows the noun


@production("noun modifier", 58)
@production("subject modifier", 46)
def no_modifier(g: Derivation, noun: Node, kind: str) -> None:
    """the film"""


@production("noun modifier", 7)
@production("subject modifier", 6)
def with_something(g: Derivation, noun: Node, kind: str) -> None:
    """the film with the sad ending; the singer with the camera; the actor without talent"""
    if kind not in WORKS and kind not in PERSONS:
        return
    slots = _POSSESSIONS if kind in PERSONS else _PARTS
    if kind in WORKS and g.chance(0.2):
        slots = _QUALITIES
    slot = g.choose(slots)
    noun.add_right(prepositional_phrase(g, g.choose(_WITH), slot, plain=g.depth > 0), "prep")


@production("noun modifier", 6)
@production("subject modifier", 4)
def somewhere(g: Derivation, noun: Node, kind: str) -> None:
    """the critic from the city; the song from the cinema"""
    where = g.choose(_WHERE_OF_PERSONS if kind in PERSONS else _WHERE)
    noun.add_right(prepositional_phrase(g, where, "place", plain=g.depth > 0), "prep")


@production("noun modifier", 3)
@production("subject modifier", 2)
def about_something(g: Derivation, noun: Node, kind: str) -> None:
    """the film about the thief"""
    if kind in WORKS:
        noun.add_right(prepositional_phrase(g, "about", "doer", plain=g.depth > 0), "prep")


@production("noun modifier", 18)
@production("subject modifier", 90)
def relative_clause(g: Derivation, noun: Node, kind: str) -> None:
    """the critic who left"""
    if kind in PERSONS or kind in WORKS:
        g.expand("relative clause", noun, kind)
