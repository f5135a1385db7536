"""Trees and graphs written down by hand, in a short notation."""

import re
from typing import List, Tuple

from spigot_allennlp.data.synthetic.treebank.lexicon import Word
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree

_TOKEN = re.compile(r"(?P<form>.+?)(=(?P<lemma>.+?))?/(?P<pos>.+?)<(?P<head>\d+):(?P<relation>\w+)")
_ARC = re.compile(r"(.+?)-([A-Za-z_0-9]+)->(.+)")


def tree_of(text: str) -> SyntaxTree:
    """
    The tree of tokens such as `left=leave/VBD<0:root`: form, lemma (by default the form in small
    letters), part of speech, head, relation.
    """
    words, heads, relations = [], [], []
    for token in text.split():
        match = _TOKEN.fullmatch(token)
        assert match, token
        lemma = match["lemma"] or match["form"].lower()
        words.append(Word(match["form"], lemma, match["pos"]))
        heads.append(int(match["head"]))
        relations.append(match["relation"])
    return SyntaxTree(tuple(words), tuple(heads), tuple(relations))


def arcs_of(tree: SyntaxTree, text: str) -> List[Tuple[int, int, str]]:
    """The arcs of a text such as `left-ARG1->critic`; the words in it are there once."""
    forms = [word.form for word in tree.words]
    arcs = []
    for arc in text.split():
        match = _ARC.fullmatch(arc)
        assert match, arc
        predicate, role, argument = match.groups()
        assert forms.count(predicate) == forms.count(argument) == 1, arc
        arcs.append((forms.index(predicate) + 1, forms.index(argument) + 1, role))
    return sorted(arcs)
