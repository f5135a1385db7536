"""Defines how many sentences there are to learn from, and writes the files."""

import random
import shutil
from pathlib import Path
from typing import NamedTuple, Optional

#: The number of sentences of the training file that are held out to compare the arms.
HELD_OUT = 1000
_SEED = 1
_NEUTRAL = "(2 "


class Regime(NamedTuple):
    """The number of sentences to learn from; `None` for all but the held-out ones."""

    sentences: Optional[int]


REGIMES = {"tenth": Regime(692), "all": Regime(None)}


def write_parts(sst: Path, treebank: Path, folder: Path) -> None:
    """
    Writes the sentences of all regimes, the held-out ones, and copies of the other data.

    # Parameters

    sst : `Path`
        A folder with `train.txt` and `dev.txt` of the Stanford Sentiment Treebank, one tree per
        line. Sentences with a neutral root are left out, as in the reader.
    treebank : `Path`
        A folder with `train.sdp` and `dev.sdp`, the data of the parser.
    folder : `Path`
        Created if needed.

    # Raises

    `ValueError`
        If there are too few sentences.
    """
    lines = (sst / "train.txt").read_text("utf-8").splitlines()
    trees = [line for line in lines if line.strip() and not line.startswith(_NEUTRAL)]
    fewest = HELD_OUT + max(regime.sentences or 0 for regime in REGIMES.values())
    if len(trees) < fewest:
        raise ValueError(f"{sst} has {len(trees)} sentences that are not neutral, of {fewest}.")
    folder.mkdir(parents=True, exist_ok=True)
    for source in (sst / "dev.txt", treebank / "train.sdp", treebank / "dev.sdp"):
        shutil.copyfile(source, folder / source.name)
    sampled = random.Random(_SEED).sample(trees, len(trees))
    # The file begins with the good and ends with the bad: four of its last five are negative.
    held_out, others = sampled[:HELD_OUT], sampled[HELD_OUT:]
    parts = {"test": held_out}
    parts.update((name, others[: regime.sentences]) for name, regime in REGIMES.items())
    for name, members in parts.items():
        (folder / f"{name}.txt").write_text("".join(f"{tree}\n" for tree in members), "utf-8")
