"""A probabilistic grammar: symbols, and the weighted productions that expand them."""

from collections import defaultdict
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from spigot_allennlp.data.synthetic.treebank.draw import Draw, Weighted

#: Clauses inside clauses beyond this depth are not drawn.
MAX_DEPTH = 2


class Production(NamedTuple):
    """One way to expand a symbol; a `recursive` one has a clause of its own inside."""

    weight: float
    expand: Callable[..., Any]
    recursive: bool


_PRODUCTIONS: Dict[str, List[Production]] = defaultdict(list)
_CHOICES: Dict[Tuple[str, bool], Weighted[Production]] = {}


def production(
    symbol: str, weight: float, recursive: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Registers a function as a production.

    # Parameters

    symbol : `str`
        What it expands.
    weight : `float`
        How often it is chosen, relative to the other productions of the symbol.
    recursive : `bool`, optional (default = `False`)
        Not chosen where the derivation is at `MAX_DEPTH`.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _PRODUCTIONS[symbol].append(Production(weight, function, recursive))
        _CHOICES.clear()
        return function

    return register


class Derivation:
    """
    One sentence in the making.

    # Parameters

    draw : `Draw`
        Where its choices come from.
    """

    __slots__ = ("draw", "depth")

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.depth = 0

    def expand(self, symbol: str, *features: Any) -> Any:
        """What a production of `symbol`, drawn by weight, makes of the features."""
        shallow = self.depth < MAX_DEPTH
        choices = _CHOICES.get((symbol, shallow))
        if choices is None:
            choices = _CHOICES[symbol, shallow] = _choices(symbol, shallow)
        chosen = self.draw.pick(choices)
        if not chosen.recursive:
            return chosen.expand(self, *features)
        self.depth += 1
        result = chosen.expand(self, *features)
        self.depth -= 1
        return result

    def chance(self, probability: float) -> bool:
        """True with this probability at the top, with half of it a clause further down, ..."""
        return self.draw.chance(probability / (1 + self.depth))


def _choices(symbol: str, shallow: bool) -> Weighted[Production]:
    # By name, so that the order in which modules are imported has no say.
    known = sorted(_PRODUCTIONS[symbol], key=lambda choice: choice.expand.__name__)
    allowed = [choice for choice in known if shallow or not choice.recursive]
    return Weighted(allowed, [choice.weight for choice in allowed])
