"""
A probabilistic grammar: symbols, and the weighted productions that expand them.

A production is a function that builds a piece of a sentence, and in turn expands the symbols within
it. `@production` registers it for one or several symbols. Its arguments are the derivation and the
features of the symbol. Some productions return what they build, others add it to a feature:

| symbol | features | builds | productions in |
|---|---|---|---|
| `sentence`, `clauses`, `clause` | | returns a `Node` | `clauses.py` |
| `relative clause` | noun, kind | adds to the noun | `clauses.py` |
| `person predicate`, `work predicate` | | returns a `Predicate` | `verb_phrases.py` |
| `controlled predicate` | | returns a `Predicate` | `verb_phrases.py` |
| `adjunct`, `late adjunct` | predicate | adds to the predicate | `verb_phrases.py` |
| `person`, `plain person`, `owner` | kind, case | returns a `Node` | `noun_phrases.py` |
| `thing`, `plain thing` | kind, case | returns a `Node` | `noun_phrases.py` |
| `adjectives` | noun, kind | adds to the noun | `noun_phrases.py` |
| `noun modifier`, `subject modifier` | noun, kind | adds to the noun | `noun_phrases.py` |

A `controlled predicate` is what a person does in an infinitive or a participle, where another verb
determines the person. A `late adjunct` follows the clause that a verb takes, or a coordination. A
`plain` phrase has nothing after its noun, except in a subject "nobody who ...".
"""

from collections import defaultdict
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from spigot_allennlp.data.synthetic.treebank.sampling import Sampler, Weighted

#: How deep clauses may be nested.
MAX_DEPTH = 2

Expansion = Callable[..., Any]


class Derivation:
    """
    Expands the symbols of a sentence, and makes the choices for this. It is the first argument of
    every production, named `g`.

    # Parameters

    sampler : `Sampler`
    """

    __slots__ = ("sampler", "choose", "chance", "depth")

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        #: The sampler's methods, as shortcuts for the productions, which call them often.
        self.choose = sampler.choose
        self.chance = sampler.chance
        #: The number of recursive productions around the current expansion.
        self.depth = 0

    def expand(self, symbol: str, *features: Any) -> Any:
        """Returns what a production of `symbol`, sampled by weight, builds from the features."""
        may_recur = self.depth < MAX_DEPTH
        choices = _CHOICES.get((symbol, may_recur))
        if choices is None:
            choices = _CHOICES[symbol, may_recur] = _choices(symbol, may_recur)
        chosen = self.choose(choices)
        if not chosen.recursive:
            return chosen.expand(self, *features)
        self.depth += 1
        result = chosen.expand(self, *features)
        self.depth -= 1
        return result

    def shallow_chance(self, probability: float) -> bool:
        """Returns True with this probability in a main clause, with half of it in a clause within
        that, with a third of it in a clause within the latter."""
        return self.chance(probability / (1 + self.depth))


class Production(NamedTuple):
    """
    A way to expand a symbol.

    # Parameters

    weight : `float`
    expand : `Callable[..., Any]`
        Takes the `Derivation` and the features of the symbol.
    recursive : `bool`
        Whether it contains a clause.
    """

    weight: float
    expand: Expansion
    recursive: bool


_PRODUCTIONS: Dict[str, List[Production]] = defaultdict(list)
_CHOICES: Dict[Tuple[str, bool], Weighted[Production]] = {}


def production(
    symbol: str, weight: float, recursive: bool = False
) -> Callable[[Expansion], Expansion]:
    """
    Returns a decorator that registers a function as a production.

    # Parameters

    symbol : `str`
        The symbol that it expands.
    weight : `float`
        The relative frequency among the productions of the symbol.
    recursive : `bool`, optional (default = `False`)
        Whether it contains a clause. If so, it is not chosen at `MAX_DEPTH`.
    """

    def register(function: Expansion) -> Expansion:
        _PRODUCTIONS[symbol].append(Production(weight, function, recursive))
        _CHOICES.clear()
        return function

    return register


def _choices(symbol: str, may_recur: bool) -> Weighted[Production]:
    """Returns the productions of a symbol, sorted by the names of their functions, so that the
    sentences of a seed do not depend on where a production is defined."""
    candidates = sorted(_PRODUCTIONS[symbol], key=lambda candidate: candidate.expand.__name__)
    allowed = [candidate for candidate in candidates if may_recur or not candidate.recursive]
    return Weighted(allowed, [candidate.weight for candidate in allowed])
