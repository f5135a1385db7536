"""Defines how many trees and graphs there are to learn from, and writes the files."""

import random
import shutil
from pathlib import Path
from typing import List, NamedTuple, Optional, Sequence

#: The number of sentences at the end of the training file that are held out to compare the arms.
HELD_OUT = 1000
#: The folder with gold trees for the sentences with graphs, for the arm that uses them.
GOLD_TREES = "gold_trees"
#: The seed for sampling the sentences of all parts.
_SEED = 1


class Regime(NamedTuple):
    """
    What the parsers learn from.

    # Parameters

    trees, graphs : `int`
        The number of sentences with a tree, and of other sentences with a graph.
    repeated_trees, repeated_graphs : `int`
        How often an epoch repeats each.
    raw_words : `bool`
        Whether the parsers see only words, without lemmas and parts of speech.
    epochs : `int`
    schedule : `str`
        Of the learning rates: "linear" goes down to zero after a warm-up, so that training is
        finished after the last epoch; "exponential" multiplies by 0.8 each epoch.
    arc_bias : `float`, optional (default = `-7.0`)
        The initial bias of the score of a semantic arc; `None` for a random one near zero. With
        `None`, an arc with some label is almost certain at first, and the model spends an epoch or
        two only learning that arcs are rare.
    """

    trees: int
    graphs: int
    repeated_trees: int = 1
    repeated_graphs: int = 1
    raw_words: bool = False
    epochs: int = 8
    schedule: str = "linear"
    arc_bias: Optional[float] = -7.0


REGIMES = {
    "few_trees": Regime(trees=150, graphs=1200, repeated_trees=4),
    # The first regime that was run, and the reason why the others are trained differently.
    "few_trees_short": Regime(150, 1200, 4, epochs=5, schedule="exponential", arc_bias=None),
    "few_graphs": Regime(trees=1200, graphs=150, repeated_graphs=4),
    "no_trees": Regime(trees=0, graphs=1200),
    "as_many": Regime(trees=1200, graphs=1200),
    "raw_words": Regime(trees=1200, graphs=1200, raw_words=True),
}


def write_parts(treebank: Path, folder: Path) -> None:
    """
    Writes the files of all regimes, the held-out sentences, and a copy of the development data.

    # Parameters

    treebank : `Path`
        A folder with `train.sdp`, graphs in SDP 2015 format, and `train.conll`, the trees of the
        same sentences in the same order in CoNLL-X format; likewise `dev.sdp` and `dev.conll`.
    folder : `Path`
        Created if needed.

    # Raises

    `ValueError`
        If the two files have different numbers of sentences, or have too few.
    """
    header, _, lines = (treebank / "train.sdp").read_text("utf-8").partition("\n")
    graphs = _sentences(lines)
    trees = _sentences((treebank / "train.conll").read_text("utf-8"))
    if len(graphs) != len(trees):
        raise ValueError(f"{treebank}: {len(graphs)} graphs, but {len(trees)} trees.")
    most = max(regime.trees + regime.graphs for regime in REGIMES.values())
    if len(graphs) < most + HELD_OUT:
        raise ValueError(f"{treebank} has {len(graphs)} sentences; {most + HELD_OUT} are needed.")
    (folder / GOLD_TREES).mkdir(parents=True, exist_ok=True)
    for name in ("dev.sdp", "dev.conll"):
        shutil.copyfile(treebank / name, folder / name)
    sampled = random.Random(_SEED).sample(range(len(graphs) - HELD_OUT), most)
    held_out = range(len(graphs) - HELD_OUT, len(graphs))
    _write(folder / "test.sdp", [graphs[index] for index in held_out], header)
    _write(folder / "test.conll", [trees[index] for index in held_out])
    for name, regime in REGIMES.items():
        with_tree = sampled[: regime.trees] * regime.repeated_trees
        with_graph = sampled[most - regime.graphs :] * regime.repeated_graphs
        _write(folder / f"{name}.sdp", [graphs[index] for index in with_graph], header)
        _write(folder / f"{name}.conll", [trees[index] for index in with_tree])
        _write(folder / GOLD_TREES / f"{name}.conll", [trees[index] for index in with_graph])


def _sentences(text: str) -> List[str]:
    return [block.strip("\n") for block in text.split("\n\n") if block.strip()]


def _write(path: Path, sentences: Sequence[str], header: str = "") -> None:
    blocks = "".join(f"{sentence}\n\n" for sentence in sentences)
    path.write_text(f"{header}\n{blocks}" if header else blocks, "utf-8")
