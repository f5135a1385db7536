"""What the lexicon knows of a word: its forms, its kind and its polarity."""

from typing import NamedTuple, Union

from spigot_allennlp.data.synthetic.treebank import morphology


class Word(NamedTuple):
    """One token: its form, its lemma and its Penn Treebank tag."""

    form: str
    lemma: str
    pos: str


class Noun(NamedTuple):
    """
    A common noun. `relational` nouns take what follows `of` as their own argument ("the friend of
    the singer"). For polarity see `sentiment.py`.
    """

    lemma: str
    plural: str
    kind: str
    polarity: int
    relational: bool

    def word(self, many: bool = False) -> Word:
        """The noun in the singular, or in the plural."""
        return Word(self.plural, self.lemma, "NNS") if many else Word(self.lemma, self.lemma, "NN")


class Verb(NamedTuple):
    """A verb. `forms` maps a Penn Treebank tag to the form; `kind` says which arguments it has."""

    lemma: str
    forms: "dict[str, str]"
    kind: str
    polarity: int

    def word(self, tag: str) -> Word:
        """The verb in the form that the tag names: VB, VBD, VBZ, VBP, VBG or VBN."""
        return Word(self.forms[tag], self.lemma, tag)


class Modifier(NamedTuple):
    """An adjective or adverb; `kind` says what it goes with."""

    lemma: str
    kind: str
    polarity: int


Entry = Union[Noun, Verb, Modifier]


def make_noun(text: str, kind: str, polarity: int) -> Noun:
    """An entry from `lemma`, or `lemma/plural` if irregular; a final `*` is for "relational"."""
    lemma, _, irregular = text.rstrip("*").partition("/")
    return Noun(lemma, irregular or morphology.plural(lemma), kind, polarity, text.endswith("*"))


def make_verb(text: str, kind: str, polarity: int) -> Verb:
    """
    An entry from `lemma`, `lemma/past/participle` if irregular; a final `+` doubles the last
    consonant of the lemma before `-ed` and `-ing`.
    """
    doubled = text.endswith("+")
    lemma, *irregular = text.rstrip("+").split("/")
    past, participle = irregular or [morphology.past(lemma, doubled)] * 2
    forms = {"VB": lemma, "VBP": lemma, "VBZ": morphology.third_person(lemma), "VBD": past}
    forms.update(VBN=participle, VBG=morphology.gerund(lemma, doubled))
    return Verb(lemma, forms, kind, polarity)
