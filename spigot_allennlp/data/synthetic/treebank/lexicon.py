"""
The lexicon: the open-class words of the treebank, their inflection, and their meaning.

Every entry has a kind, which determines what it combines with, and a polarity, from -2, very
negative, to 2, very positive. `sentiment.py` describes the effects of both. Among nouns, for
example, a `hero` is a person seen as good, a `part` belongs to a work, and a `merit` is something a
work may have or lack. The kind of a verb determines its arguments and the target of its polarity:

* `evaluation`: ARG1 judges ARG2. `stimulus`: ARG1 affects the mind of ARG2.
* `effect`: ARG1 does good or harm to ARG2. `property`: ARG1 has or wants a quality.
* `fate`: ARG1 fares well or badly. `action`, `activity`: neutral, with and without an object.
* `raising`: a clause is the only argument. `control`: the subject is also that of the clause.
* `promise`, `persuade`: an object and a clause, with the verb's subject, or object, as subject.
* `attribution`: ARG1 says ARG2. `transfer`: ARG1 gives ARG2 to ARG3.

The polarity of a verb that takes a clause is its effect on the clause: -1 reverses it.
"""

from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from spigot_allennlp.data.synthetic.treebank.sampling import Sampler, Weighted, zipf


class Word(NamedTuple):
    """
    A word in a sentence: its form, its lemma and its Penn Treebank tag, `pos`. The first letter of
    the tag tells nouns and names (N), verbs (V), adjectives (J) and adverbs (R) apart; P begins the
    tags of personal and possessive pronouns, and that of the ending "'s".
    """

    form: str
    lemma: str
    pos: str


class Noun(NamedTuple):
    """
    A common noun. If it is `relational`, the phrase after "of" is its argument ("the friend of the
    singer").
    """

    lemma: str
    plural: str
    kind: str
    polarity: int
    relational: bool

    def word(self, plural: bool = False) -> Word:
        """Returns the noun in the singular or in the plural."""
        if plural:
            return Word(self.plural, self.lemma, "NNS")
        return Word(self.lemma, self.lemma, "NN")


class Verb(NamedTuple):
    """A verb; `forms` maps a Penn Treebank tag to the form."""

    lemma: str
    forms: Dict[str, str]
    kind: str
    polarity: int

    def word(self, tag: str) -> Word:
        """Returns the verb in the form of a tag: VB, VBD, VBZ, VBP, VBG or VBN."""
        return Word(self.forms[tag], self.lemma, tag)


class Modifier(NamedTuple):
    """An adjective or an adverb. `kind` is the kind of noun it goes with, or of its meaning."""

    lemma: str
    kind: str
    polarity: int

    def adjective(self) -> Word:
        """Returns the adjective as a word in a sentence."""
        return Word(self.lemma, self.lemma, "JJ")

    def adverb(self) -> Word:
        """Returns the adverb as a word in a sentence."""
        return Word(self.lemma, self.lemma, "RB")


Entry = Union[Noun, Verb, Modifier]


def look_up(word: Word) -> Optional[Entry]:
    """Returns the entry of an open-class word; None for function words, names and numbers."""
    return _LEXICON.get((word.pos[0], word.lemma))


# ---- Inflection


def make_noun(text: str, kind: str, polarity: int) -> Noun:
    """Returns the entry of `lemma`, of `lemma/plural` if irregular; a `*` at the end marks a
    relational noun."""
    lemma, _, irregular = text.rstrip("*").partition("/")
    return Noun(lemma, irregular or add_s(lemma), kind, polarity, text.endswith("*"))


def make_verb(text: str, kind: str, polarity: int) -> Verb:
    """
    Returns the entry for `lemma`, or for `lemma/past/participle` if irregular. A `+` at the end
    doubles the last consonant of the lemma before `-ed` and `-ing`.
    """
    doubled = text.endswith("+")
    lemma, *irregular = text.rstrip("+").split("/")
    past, participle = irregular or [add_ed(lemma, doubled)] * 2
    forms = {"VB": lemma, "VBP": lemma, "VBZ": add_s(lemma), "VBD": past}
    forms.update(VBN=participle, VBG=add_ing(lemma, doubled))
    return Verb(lemma, forms, kind, polarity)


def add_s(word: str) -> str:
    """Returns the regular plural of a noun, or the third person singular of a verb: `critics`,
    `cities`, `watches`."""
    if _ends_in_consonant_and_y(word):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")


def add_ed(verb: str, doubled: bool = False) -> str:
    """Returns the regular past tense: `praised`, `tried`, `watched`; `planned` if `doubled`."""
    if verb.endswith("e"):
        return verb + "d"
    if _ends_in_consonant_and_y(verb):
        return verb[:-1] + "ied"
    return verb + (verb[-1] if doubled else "") + "ed"


def add_ing(verb: str, doubled: bool = False) -> str:
    """Returns the gerund: `praising`, `seeing`, `watching`; `planning` if `doubled`."""
    if verb.endswith("e") and verb != "be" and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if doubled else "") + "ing"


def _ends_in_consonant_and_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in "aeiou"


# ---- The entries


class _Row(NamedTuple):
    """
    Words of the same kind and polarity, separated by spaces, from the most to the least frequent.
    See `make_noun` and `make_verb` for the notation of irregular forms.
    """

    kind: str
    polarity: int
    words: str


_NOUNS: List[_Row] = [
    _Row(
        "person",
        0,
        "critic director* actor friend* writer* singer child/children teacher* student painter* "
        "visitor editor* dancer neighbour* woman/women drummer man/men usher stranger sister*",
    ),
    _Row("hero", 1, "hero/heroes saint"),
    _Row("villain", -1, "villain thief/thieves"),
    _Row(
        "work",
        0,
        "film play song novel show story* album concert* painting* opera exhibition poem* sketch",
    ),
    _Row("success", 1, "success gem"),
    _Row("success", 2, "masterpiece"),
    _Row("disaster", -1, "failure flop"),
    _Row("disaster", -2, "disaster"),
    _Row(
        "part", 0, "ending* plot* title* soundtrack* voice* script* costume chapter* melody* cast*"
    ),
    _Row("merit", 1, "charm wit"),
    _Row("flaw", -1, "flaw cliche"),
    _Row("instrument", 0, "camera telescope microphone lamp pen map"),
    _Row("manner", 0, "patience ease surprise curiosity care"),
    _Row("place", 0, "theatre cinema garden museum studio city station harbour village square"),
    _Row("occasion", 0, "festival interview party rehearsal interval premiere lecture wedding"),
]

_VERBS: List[_Row] = [
    _Row("evaluation", 1, "enjoy praise admire recommend"),
    _Row("evaluation", 2, "love"),
    _Row("evaluation", -1, "dislike criticise mock resent"),
    _Row("evaluation", -2, "hate"),
    _Row("stimulus", 1, "charm impress amuse"),
    _Row("stimulus", 2, "delight"),
    _Row("stimulus", -1, "bore annoy disappoint"),
    _Row("stimulus", -2, "disgust"),
    _Row("effect", 1, "rescue help protect"),
    _Row("effect", -1, "ruin punish attack"),
    _Row("property", 1, "offer show/showed/shown"),
    _Row("property", -1, "lack avoid"),
    _Row("fate", 1, "win/won/won succeed"),
    _Row("fate", -1, "lose/lost/lost suffer"),
    _Row(
        "action",
        0,
        "watch see/saw/seen describe visit mention follow discuss record film meet/met/met sketch",
    ),
    _Row(
        "activity", 0, "leave/left/left arrive wait laugh work speak/spoke/spoken sleep/slept/slept"
    ),
    _Row("raising", 1, "seem appear begin/began/begun continue tend"),
    _Row("raising", -1, "fail cease"),
    _Row("control", 1, "try want hope plan+ decide manage"),
    _Row("control", -1, "refuse decline forget/forgot/forgotten"),
    _Row("promise", 1, "promise"),
    _Row("persuade", 1, "persuade ask encourage order allow force"),
    _Row("persuade", -1, "forbid/forbade/forbidden"),
    _Row("attribution", 1, "say/said/said claim think/thought/thought believe report insist"),
    _Row("attribution", -1, "doubt deny"),
    _Row("transfer", 0, "give/gave/given send/sent/sent lend/lent/lent hand sell/sold/sold"),
]

_ADJECTIVES: List[_Row] = [
    _Row("any", 0, "new old French famous strange quiet local Italian"),
    _Row("any", 1, "good charming clever funny"),
    _Row("any", 2, "wonderful superb"),
    _Row("any", -1, "bad boring dull silly"),
    _Row("any", -2, "awful terrible"),
    _Row("person", 0, "young tall bald Norwegian"),
    _Row("person", 1, "generous honest"),
    _Row("person", -1, "rude cruel"),
    _Row("work", 0, "long short recent animated"),
    _Row("work", 1, "witty moving"),
    _Row("work", -1, "predictable tedious"),
]

_ADVERBS: List[_Row] = [
    _Row("manner", 0, "quietly slowly suddenly briefly calmly"),
    _Row("manner", 1, "brilliantly beautifully gracefully"),
    _Row("manner", -1, "badly clumsily poorly"),
    _Row("degree", 0, "very really extremely truly"),
    _Row("past", 0, "yesterday recently then"),
    _Row("present", 0, "today now often"),
    _Row("future", 0, "tomorrow soon later"),
    _Row("place", 0, "there here outside"),
    _Row("never", 0, "never hardly"),
]

# How often words of a polarity are chosen: strong verbs and modifiers less often than weak ones,
# and likewise verbs that reverse their clause.
_SHARES_OF_VERBS = {2: 0.35, -2: 0.35, 1: 1.0, -1: 1.0, 0: 1.0}
_SHARES_OF_CLAUSAL_VERBS = {1: 1.0, -1: 0.2}
_CLAUSAL = ("raising", "control", "promise", "persuade", "attribution")
_SHARES_OF_MODIFIERS = {2: 0.5, 1: 1.0, 0: 1.0, -1: 1.0, -2: 0.5}


def _verbs(kind: str) -> Weighted[Verb]:
    rows = [row for row in _VERBS if row.kind == kind]
    shares = _SHARES_OF_CLAUSAL_VERBS if kind in _CLAUSAL else _SHARES_OF_VERBS
    return zipf(
        *([make_verb(text, kind, row.polarity) for text in row.words.split()] for row in rows),
        shares=[shares[row.polarity] for row in rows],
    )


def _modifiers(rows: List[_Row]) -> Weighted[Modifier]:
    return zipf(
        *([Modifier(word, row.kind, row.polarity) for word in row.words.split()] for row in rows),
        shares=[_SHARES_OF_MODIFIERS[row.polarity] for row in rows],
    )


def _adjectives(kind: str, judging: bool) -> Weighted[Modifier]:
    return _modifiers(
        [row for row in _ADJECTIVES if row.kind in ("any", kind) and bool(row.polarity) == judging]
    )


_ALL_NOUNS = [
    make_noun(text, row.kind, row.polarity) for row in _NOUNS for text in row.words.split()
]

#: The nouns of each kind.
NOUNS: Dict[str, Weighted[Noun]] = {
    kind: zipf([noun for noun in _ALL_NOUNS if noun.kind == kind])
    for kind in dict.fromkeys(noun.kind for noun in _ALL_NOUNS)
}
#: The relational nouns of each kind that has some.
RELATIONAL_NOUNS: Dict[str, Weighted[Noun]] = {
    kind: zipf([noun for noun in choices.items if noun.relational])
    for kind, choices in NOUNS.items()
    if any(noun.relational for noun in choices.items)
}
#: The verbs of each kind.
VERBS: Dict[str, Weighted[Verb]] = {
    kind: _verbs(kind) for kind in dict.fromkeys(row.kind for row in _VERBS)
}
#: The adjectives without and with polarity that go with anything, with persons, and with works
#: and their parts.
NEUTRAL_ADJECTIVES: Dict[str, Weighted[Modifier]] = {
    kind: _adjectives(kind, judging=False) for kind in ("any", "person", "work")
}
JUDGING_ADJECTIVES: Dict[str, Weighted[Modifier]] = {
    kind: _adjectives(kind, judging=True) for kind in ("any", "person", "work")
}
#: The adverbs of each kind.
ADVERBS: Dict[str, Weighted[Modifier]] = {
    kind: _modifiers([row for row in _ADVERBS if row.kind == kind])
    for kind in dict.fromkeys(row.kind for row in _ADVERBS)
}
#: The copula and auxiliary.
BE = Verb(
    "be",
    {"VB": "be", "VBP": "are", "VBZ": "is", "VBD": "was", "VBG": "being", "VBN": "been"},
    "be",
    0,
)


def _by_category_and_lemma() -> Dict[Tuple[str, str], Entry]:
    """Returns all entries by the first letter of their tags and by lemma."""
    entries: Dict[Tuple[str, str], Entry] = {("V", "be"): BE}
    for category, table in (
        ("N", NOUNS),
        ("V", VERBS),
        ("J", NEUTRAL_ADJECTIVES),
        ("J", JUDGING_ADJECTIVES),
        ("R", ADVERBS),
    ):
        for choices in table.values():
            entries.update({(category, entry.lemma): entry for entry in choices.items})
    return entries


_LEXICON = _by_category_and_lemma()


# ---- Words without entries, so that development sets contain unseen words

_FIRST_NAMES = zipf("Anna Peter Maria John Clara Hugo Nora Felix Ida Oscar".split())
_ONSETS = zipf("Mar Hal Ben Cor Tes Wil Ron Kel Dar Fen Lor Vas Bran Oster Quin Zam".split())
_MIDDLES = zipf(["", "l", "ing", "en", "ber", "o", "wick", "ar", "ti", "sel"])
_ENDS = zipf("ow er ton ley man son by ski ini well sen dotter".split())
_NUMBERS = zipf("two three four five six seven eight nine ten twelve".split())
_DIGITS = zipf(list("123456789"))
_KINDS_OF_COMPARISON = zipf(["place", "occasion", "instrument", "part"])


def random_surname(sampler: Sampler) -> Word:
    """Returns one of about two thousand surnames, some of them frequent."""
    name = sampler.choose(_ONSETS) + sampler.choose(_MIDDLES) + sampler.choose(_ENDS)
    return Word(name, name, "NNP")


def random_first_name(sampler: Sampler) -> Word:
    """Returns one of ten first names."""
    name = sampler.choose(_FIRST_NAMES)
    return Word(name, name, "NNP")


def random_number(sampler: Sampler) -> Word:
    """Returns a number above one, in letters or in digits."""
    if sampler.chance(0.8):
        form = sampler.choose(_NUMBERS)
    else:
        form = sampler.choose(_DIGITS) + sampler.choose(_DIGITS)
    return Word(form, form, "CD")


def random_comparison(sampler: Sampler) -> Word:
    """Returns a neutral adjective that compares: "garden-like"."""
    form = sampler.choose(NOUNS[sampler.choose(_KINDS_OF_COMPARISON)]).lemma + "-like"
    return Word(form, form, "JJ")
