"""The common nouns, by kind; within a kind in order of frequency."""

from typing import Dict, List, Tuple

from spigot_allennlp.data.synthetic.treebank.draw import Weighted, zipf
from spigot_allennlp.data.synthetic.treebank.entries import Noun, make_noun

_TABLE: List[Tuple[str, int, str]] = [
    (
        "person",
        0,
        "critic director* actor friend* writer* singer child/children teacher* student painter* "
        "visitor editor* dancer neighbour* woman/women drummer man/men usher stranger sister*",
    ),
    ("hero", 1, "hero/heroes saint"),
    ("villain", -1, "villain thief/thieves"),
    (
        "work",
        0,
        "film play song novel show story* album concert* painting* opera exhibition poem* sketch",
    ),
    ("success", 1, "success gem"),
    ("success", 2, "masterpiece"),
    ("disaster", -1, "failure flop"),
    ("disaster", -2, "disaster"),
    ("part", 0, "ending* plot* title* soundtrack* voice* script* costume chapter* melody* cast*"),
    ("merit", 1, "charm wit"),
    ("flaw", -1, "flaw cliche"),
    ("instrument", 0, "camera telescope microphone lamp pen map"),
    ("manner", 0, "patience ease surprise curiosity care"),
    ("place", 0, "theatre cinema garden museum studio city station harbour village square"),
    ("occasion", 0, "festival interview party rehearsal interval premiere lecture wedding"),
]

_ENTRIES = [make_noun(text, kind, sign) for kind, sign, words in _TABLE for text in words.split()]

#: The nouns of each kind.
NOUNS: Dict[str, Weighted[Noun]] = {
    kind: zipf([noun for noun in _ENTRIES if noun.kind == kind])
    for kind in dict.fromkeys(noun.kind for noun in _ENTRIES)
}

#: The nouns of each kind that take an `of`.
RELATIONAL: Dict[str, Weighted[Noun]] = {
    kind: zipf([noun for noun in choices.items if noun.relational])
    for kind, choices in NOUNS.items()
    if any(noun.relational for noun in choices.items)
}
