"""
Draws the picture of docs/parse.md: python docs/draw_parse.py.

"The villain promised the hero to lose": who loses is in the graph alone. Beside gold, a parse that
takes "promised" for "persuaded". Its arcs and probabilities are made up by hand, to show what a
picture has: no model made them.
"""

from pathlib import Path

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.parses.parse import Graph, Parse, Tree

PICTURE = Path(__file__).with_name("parse.svg")

TOKENS = "The villain promised the hero to lose .".split()
POS = "DT NN VBD DT NN TO VB .".split()
LABELS = "det nsubj root det obj mark xcomp punct".split()
TREE = Tree([2, 3, 0, 5, 3, 7, 3, 3], LABELS)
SHARED = [
    Arc(1, 2, "BV"),
    Arc(3, 2, "ARG1"),
    Arc(3, 5, "ARG3"),
    Arc(3, 7, "ARG2"),
    Arc(4, 5, "BV"),
]
GOLD = Parse(TOKENS, TREE, Graph([*SHARED, Arc(7, 2, "ARG1")], [3]), pos=POS)
PARSE = Parse(
    TOKENS,
    TREE._replace(probabilities=[0.99, 0.97, 0.99, 0.98, 0.92, 0.95, 0.74, 0.99]),
    Graph([*SHARED, Arc(7, 5, "ARG1")], [3], [0.99, 0.98, 0.88, 0.93, 0.99, 0.57], [0.99]),
    pos=POS,
)


def picture() -> str:
    """Returns the picture as SVG."""
    return PARSE.to_svg(GOLD)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
