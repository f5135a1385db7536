"""
Sentiment in one line a token, an empty line after each sentence: `id form lemma pos label`.

This is the format of the code of [Peng et al. (2018)](https://aclanthology.org/P18-1173), which
repeats the label of the sentence on each line, and takes that of the last. Here a line may leave
it out (`_`), so long as one has it, and those that have it agree.
"""

from typing import Iterator, List, Mapping, Optional, Union

from spigot_allennlp.data.blocks import Block, identifier_of, read_blocks, scan_blocks
from spigot_allennlp.data.errors import Fault, MalformedInputError, quoted
from spigot_allennlp.data.sentiment_sentence import SentimentSentence

COLUMNS = ("id", "form", "lemma", "pos", "label")


def scan_sentiment_columns(
    path: str, classes: Mapping[str, Optional[str]]
) -> Iterator[Union[SentimentSentence, MalformedInputError]]:
    """
    The sentences of a file, with an error in the place of each that cannot be read. `classes` gives
    the class of each label that there may be, as `classes_of_labels` does.
    """
    blocks = read_blocks(path, "sst_columns")
    return scan_blocks(path, blocks, lambda block: _sentence(block, classes))


def _sentence(block: Block, classes: Mapping[str, Optional[str]]) -> SentimentSentence:
    rows = block.cells(lambda: len(COLUMNS))
    for index, row in enumerate(rows):
        if len(row) != len(COLUMNS):
            detail = f"{len(row)} columns, where there are {len(COLUMNS)}: {' '.join(COLUMNS)}"
            raise block.error(index, Fault.COLUMN_COUNT, detail)
        if row[0] != str(index + 1):
            detail = f"{quoted(row[0])} where {index + 1} is due"
            raise block.error(index, Fault.TOKEN_ID, detail)
    label = _label(block, [row[4] for row in rows], classes)
    return SentimentSentence(
        words=[row[1] for row in rows],
        label=classes[label],
        lemmas=[row[2] for row in rows],
        pos=[row[3] for row in rows],
        identifier=identifier_of(block.comments),
        source=f"{block.path}:{block.lines[0]}",
    )


def _label(block: Block, cells: List[str], classes: Mapping[str, Optional[str]]) -> str:
    """The one label of a sentence."""
    labels = [(index, cell) for index, cell in enumerate(cells) if cell != "_"]
    if not labels:
        raise block.error(0, Fault.LABEL, "no line of the sentence has one")
    label = labels[0][1].lower()
    for index, cell in labels:
        if cell.lower() not in classes:
            detail = f"the label {quoted(cell)} is not one of {', '.join(classes)}"
            raise block.error(index, Fault.LABEL, detail)
        if cell.lower() != label:
            detail = f"the label {cell!r}, where an earlier line of the sentence has {label!r}"
            raise block.error(index, Fault.LABEL, detail)
    return label
