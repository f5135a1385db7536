"""The adjectives and adverbs, by kind; within a kind and polarity in order of frequency."""

from typing import Dict, List, Tuple

from spigot_allennlp.data.synthetic.treebank.draw import Weighted, zipf
from spigot_allennlp.data.synthetic.treebank.entries import Modifier

_ADJECTIVES: List[Tuple[str, int, str]] = [
    ("any", 0, "new old French famous strange quiet local Italian"),
    ("any", 1, "good charming clever funny"),
    ("any", 2, "wonderful superb"),
    ("any", -1, "bad boring dull silly"),
    ("any", -2, "awful terrible"),
    ("person", 0, "young tall bald Norwegian"),
    ("person", 1, "generous honest"),
    ("person", -1, "rude cruel"),
    ("work", 0, "long short recent animated"),
    ("work", 1, "witty moving"),
    ("work", -1, "predictable tedious"),
]

_ADVERBS: List[Tuple[str, int, str]] = [
    ("manner", 0, "quietly slowly suddenly briefly calmly"),
    ("manner", 1, "brilliantly beautifully gracefully"),
    ("manner", -1, "badly clumsily poorly"),
    ("degree", 0, "very really extremely truly"),
    ("past", 0, "yesterday recently then"),
    ("present", 0, "today now often"),
    ("future", 0, "tomorrow soon later"),
    ("place", 0, "there here outside"),
    ("never", 0, "never hardly"),
]

# Weak and strong words of one sign: how often each is drawn.
_SHARES = {2: 0.5, 1: 1.0, 0: 1.0, -1: 1.0, -2: 0.5}

_ADJECTIVE_ROWS = [
    [Modifier(word, kind, sign) for word in words.split()] for kind, sign, words in _ADJECTIVES
]
_ADVERB_ROWS = [
    [Modifier(word, kind, sign) for word in words.split()] for kind, sign, words in _ADVERBS
]


def _choices(rows: List[List[Modifier]]) -> Weighted[Modifier]:
    return zipf(*rows, shares=[_SHARES[row[0].polarity] for row in rows])


def _adjectives(kind: str, judging: bool) -> Weighted[Modifier]:
    return _choices(
        [
            row
            for row in _ADJECTIVE_ROWS
            if row[0].kind in ("any", kind) and bool(row[0].polarity) == judging
        ]
    )


#: The adjectives that go with anything, with persons, and with works and their parts.
NEUTRAL_ADJECTIVES: Dict[str, Weighted[Modifier]] = {
    kind: _adjectives(kind, judging=False) for kind in ("any", "person", "work")
}
JUDGING_ADJECTIVES: Dict[str, Weighted[Modifier]] = {
    kind: _adjectives(kind, judging=True) for kind in ("any", "person", "work")
}

#: The adverbs of each kind.
ADVERBS: Dict[str, Weighted[Modifier]] = {
    kind: _choices([row for row in _ADVERB_ROWS if row[0].kind == kind])
    for kind in dict.fromkeys(row[0].kind for row in _ADVERB_ROWS)
}
