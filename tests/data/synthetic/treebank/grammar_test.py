"""The grammar itself builds several trees for the same words."""

import re
from typing import Dict, FrozenSet, List

import pytest

from spigot_allennlp.data.synthetic.treebank import grammar
from spigot_allennlp.data.synthetic.treebank.grammar import Production
from spigot_allennlp.data.synthetic.treebank.lexicon import Modifier, Noun, Verb, Word
from spigot_allennlp.data.synthetic.treebank.sampling import Sampler, Weighted
from spigot_allennlp.data.synthetic.treebank.treebank import (
    SyntheticSentence,
    annotate,
    sample_tree,
)

ALWAYS = (
    "sentence one_clause clause_about_person common_noun plain_common_noun no_adjective "
    "no_modifier no_adjunct nothing"
)
AMBIGUOUS = {
    "the camera is that of the critic, or what was used": "action with_something",
    "the place is where the director is, or where it happened": "effect in_a_place somewhere",
    "who leaves is the one rescued, or the one rescuing": (
        "effect while_doing active_participle relative_clause activity"
    ),
    "which noun an adjective is about": (
        "evaluation adjective_of_compound adjective_in_compound judging_adjective compound"
    ),
    "when it happened, or when it was said": "attribution at_a_time fate",
    "who it was that left": "attribution coordination_person activity",
    "which of the films is from the theatre": "evaluation coordinated somewhere",
    "which of them was enjoyed by the critic": (
        "evaluation relational_noun relative_clause passive_participle"
    ),
}


class NarrowSampler(Sampler):
    """Chooses some of the productions alone, and of the words of a class always the first."""

    def __init__(self, seed: str, productions: FrozenSet[str]) -> None:
        super().__init__(seed)
        self._productions = productions

    def choose(self, choices: Weighted):
        first = choices.items[0]
        if isinstance(first, (Noun, Verb, Modifier, Word)):
            return first
        if isinstance(first, Production):
            names = [choice.expand.__name__ for choice in choices.items]
            allowed = [
                choice
                for choice, name in zip(choices.items, names, strict=True)
                if name in self._productions
            ]
            choices = Weighted(allowed or choices.items, [1] * len(allowed or choices.items))
        return super().choose(choices)


def two_readings(productions: str, sample: int) -> List[SyntheticSentence]:
    """The first two sentences of a sample that have the same words, and different graphs."""
    allowed = frozenset(f"{ALWAYS} {productions}".split())
    by_words: Dict[tuple, SyntheticSentence] = {}
    for number in range(sample):
        tree = sample_tree(NarrowSampler(str(number), allowed), 4, 16)
        other = by_words.setdefault(tree.words, annotate(tree, str(number)))
        if other.tree != tree and annotate(tree, "").graph != other.graph:
            return [other, annotate(tree, str(number))]
    return []


def test_the_table_of_symbols_has_those_with_productions():
    cells = [line.split("|")[1] for line in grammar.__doc__.splitlines() if line.startswith("| `")]
    symbols = [symbol for cell in cells for symbol in re.findall("`([^`]+)`", cell)]
    assert sorted(symbols) == sorted(grammar._PRODUCTIONS)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_some_strings_have_several_trees_with_different_graphs(name):
    first, second = two_readings(AMBIGUOUS[name], sample=3000)
    assert first.tree.words == second.tree.words
    assert first.tree.heads != second.tree.heads
    assert first.graph.arcs != second.graph.arcs
