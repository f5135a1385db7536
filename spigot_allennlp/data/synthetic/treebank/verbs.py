"""
The verbs, by kind; within a kind and polarity in order of frequency.

The kind says which arguments a verb has and what its polarity is about:

* `evaluation`: ARG1 judges ARG2. `stimulus`: ARG1 affects the mind of ARG2.
* `effect`: ARG1 does good or harm to ARG2. `property`: ARG1 has or wants a quality.
* `fate`: ARG1 fares well or badly. `action`, `activity`: neutral, with and without an object.
* `raising`: a clause is all they have. `control`: their subject is the subject of the clause.
* `promise`, `persuade`: an object and a clause, whose subject is theirs, or their object.
* `attribution`: ARG1 says ARG2. `transfer`: ARG1 gives ARG2 to ARG3.

The polarity of a verb that takes a clause is what it does to the clause: -1 turns it round.
"""

from typing import Dict, List, Tuple

from spigot_allennlp.data.synthetic.treebank.draw import Weighted, zipf
from spigot_allennlp.data.synthetic.treebank.entries import Verb, make_verb

_TABLE: List[Tuple[str, int, str]] = [
    ("evaluation", 1, "enjoy praise admire recommend"),
    ("evaluation", 2, "love"),
    ("evaluation", -1, "dislike criticise mock resent"),
    ("evaluation", -2, "hate"),
    ("stimulus", 1, "charm impress amuse"),
    ("stimulus", 2, "delight"),
    ("stimulus", -1, "bore annoy disappoint"),
    ("stimulus", -2, "disgust"),
    ("effect", 1, "rescue help protect"),
    ("effect", -1, "ruin punish attack"),
    ("property", 1, "offer show/showed/shown"),
    ("property", -1, "lack avoid"),
    ("fate", 1, "win/won/won succeed"),
    ("fate", -1, "lose/lost/lost suffer"),
    (
        "action",
        0,
        "watch see/saw/seen describe visit mention follow discuss record film meet/met/met sketch",
    ),
    ("activity", 0, "leave/left/left arrive wait laugh work speak/spoke/spoken sleep/slept/slept"),
    ("raising", 1, "seem appear begin/began/begun continue tend"),
    ("raising", -1, "fail cease"),
    ("control", 1, "try want hope plan+ decide manage"),
    ("control", -1, "refuse decline forget/forgot/forgotten"),
    ("promise", 1, "promise"),
    ("persuade", 1, "persuade ask encourage order allow force"),
    ("persuade", -1, "forbid/forbade/forbidden"),
    ("attribution", 1, "say/said/said claim think/thought/thought believe report insist"),
    ("attribution", -1, "doubt deny"),
    ("transfer", 0, "give/gave/given send/sent/sent lend/lent/lent hand sell/sold/sold"),
]

# The weak, the strong, and those that turn a clause round: how often each sign of a kind is drawn.
_SHARES = {2: 0.35, -2: 0.35, 1: 1.0, -1: 1.0, 0: 1.0}
_CLAUSAL_SHARES = {1: 1.0, -1: 0.2}
_CLAUSAL = ("raising", "control", "promise", "persuade", "attribution")


def _choices(kind: str) -> Weighted[Verb]:
    rows = [(polarity, words.split()) for row_kind, polarity, words in _TABLE if row_kind == kind]
    shares = _CLAUSAL_SHARES if kind in _CLAUSAL else _SHARES
    return zipf(
        *([make_verb(word, kind, polarity) for word in words] for polarity, words in rows),
        shares=[shares[polarity] for polarity, _ in rows],
    )


#: The verbs of each kind.
VERBS: Dict[str, Weighted[Verb]] = {
    kind: _choices(kind) for kind in dict.fromkeys(row[0] for row in _TABLE)
}

BE = Verb(
    "be",
    {"VB": "be", "VBP": "are", "VBZ": "is", "VBD": "was", "VBG": "being", "VBN": "been"},
    "be",
    0,
)
