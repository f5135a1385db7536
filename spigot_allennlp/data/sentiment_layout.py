"""In which of three formats a file of sentences with sentiment is, found from its content."""

from collections import Counter
from itertools import islice
from typing import Counter as CounterType
from typing import Optional

from spigot_allennlp.data.numbered_lines import numbered_lines
from spigot_allennlp.data.sentiment_columns import COLUMNS
from spigot_allennlp.data.sentiment_lines import LABEL_SPACE_TEXT
from spigot_allennlp.data.source import is_synthetic

SENTIMENT_LAYOUTS = ("trees", "columns", "lines")

# So many lines are looked at to find the layout of a file.
SAMPLE_SIZE = 50


def find_sentiment_layout(path: str) -> str:
    """
    The layout that most of the first lines can only have. Where no line tells, and for the embedded
    data set, `"trees"`: the faults will show when they are read.

    # Returns

    `str`
        `"trees"` (see `sst_format.py`), `"columns"` (see `sentiment_columns.py`) or `"lines"` (see
        `sentiment_lines.py`).

    # Raises

    `MalformedInputError` where a compressed file is damaged.
    """
    if is_synthetic(path):
        return "trees"
    sample = islice(numbered_lines(path, "sst"), SAMPLE_SIZE)
    votes: CounterType[Optional[str]] = Counter(_layout_of(line.text) for line in sample)
    return max(SENTIMENT_LAYOUTS, key=lambda layout: votes[layout])


def _layout_of(line: str) -> Optional[str]:
    """The one layout in which this can be a line, or `None`."""
    cells = line.rstrip("\t").split("\t")
    if len(cells) == len(COLUMNS) and cells[0].isdigit():
        return "columns"
    if len(cells) == 2 or LABEL_SPACE_TEXT.match(line):
        return "lines"
    return "trees" if line.lstrip().startswith("(") else None
