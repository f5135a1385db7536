"""Draws the layers of a parse, or their differences from those of another."""

from typing import Dict, List, NamedTuple, Optional, Sequence

from spigot_allennlp.parses.layout import LabelledArc, lay_out
from spigot_allennlp.parses.svg import svg


class ArcKey(NamedTuple):
    """An arc of a tree or graph, between words from 1. The head of a root or top is 0."""

    head: int
    dependent: int
    label: str


#: Arcs with the probability of each, or `None` where it is not known.
Arcs = Dict[ArcKey, Optional[float]]


class Layer(NamedTuple):
    """A tree or a graph, and the gold one for comparison; `None` if there is none."""

    arcs: Optional[Arcs]
    gold: Optional[Arcs] = None


def draw(
    tokens: Sequence[str],
    pos: Optional[Sequence[str]],
    tree: Layer,
    graph: Layer,
    caption: str = "",
    with_style: bool = True,
) -> str:
    """
    Returns a picture as SVG: the tree above the words, the graph below. If a layer is compared with
    gold, the arcs of both are drawn, in colours that show where they occur.
    """
    above, below = _compared(tree), _compared(graph)
    return svg(lay_out(tokens, pos, above, below, caption), with_style)


def _compared(layer: Layer) -> List[LabelledArc]:
    arcs, gold = layer
    if arcs is None and gold is None:
        return []
    if arcs is None or gold is None:
        kind, shown = ("plain", arcs or {}) if gold is None else ("gold", gold)
        return [_labelled(*key, probability, kind) for key, probability in shown.items()]
    drawn = [
        _labelled(*key, probability, "both" if key in gold else "predicted")
        for key, probability in arcs.items()
    ]
    return drawn + [_labelled(*key, None, "gold") for key in gold if key not in arcs]


def _labelled(
    head: int, dependent: int, label: str, probability: Optional[float], kind: str
) -> LabelledArc:
    shown = label if probability is None else f"{label} {short_probability(probability)}".strip()
    return LabelledArc(head, dependent, shown, kind)


def short_probability(probability: float) -> str:
    """Returns two digits after the point, without a zero before it: `.93`, and `1.0`."""
    return "1.0" if probability >= 0.995 else f"{probability:.2f}"[1:]
