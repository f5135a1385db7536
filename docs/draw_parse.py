"""
Draws the picture of docs/parse.md: python docs/draw_parse.py.

The parse is what `syntactic_then_semantic/spigot.jsonnet` made, after five epochs, of the second
sentence of a fixture, line 2 of

    allennlp parse runs/first/model.tar.gz fixtures/promised_persuaded.jsonl --probabilities

and is kept in parse.json. Who was persuaded to lose is the hero; the parser has the villain, too.
"""

import json
from pathlib import Path

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.parses.parse import Graph, Parse, Tree

PICTURE = Path(__file__).with_name("parse.svg")
OUTPUT = Path(__file__).with_name("parse.json")
WRONG = Arc(7, 2, "ARG1")


def picture() -> str:
    """Returns the picture as SVG."""
    output = json.loads(OUTPUT.read_text(encoding="utf-8"))
    tree, graph = output["tree"], output["graph"]
    arcs = [Arc(*arc) for arc in graph["arcs"]]
    parse = Parse(
        output["tokens"],
        Tree(tree["heads"], None, tree["probabilities"]),
        Graph(arcs, graph["tops"], graph["probabilities"], graph["top_probabilities"]),
        pos=output["pos"],
    )
    gold_arcs = [arc for arc in arcs if arc != WRONG]
    gold = Parse(
        output["tokens"], Tree(tree["heads"]), Graph(gold_arcs, graph["tops"]), pos=output["pos"]
    )
    return parse.to_svg(gold)


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
