"""
Sentiment in one line a sentence: `label text`, parted by a tab, the words by spaces.

A line may hold a no-break space within a word, as some fractions of the Stanford Sentiment Treebank
do; only spaces part words.
"""

import re
from functools import partial
from typing import Iterable, Iterator, List, Mapping, Optional, Union

from spigot_allennlp.data.errors import Fault, MalformedInputError, quoted
from spigot_allennlp.data.numbered_lines import Line
from spigot_allennlp.data.sentence_lines import scan_lines, sentence_lines
from spigot_allennlp.data.sentiment_sentence import SentimentSentence

Result = Union[Line, MalformedInputError]

# What the first line may call a column, where it names them.
_LABEL_NAMES = {"label", "labels", "sentiment"}
_TEXT_NAMES = {"sentence", "text", "review", "phrase"}
_NUMBER_NAMES = {"index", "idx", "id"}

LABEL_SPACE_TEXT = re.compile(r"[0-9]+ +\S")


def scan_sentiment_lines(
    path: str, classes: Mapping[str, Optional[str]]
) -> Iterator[Union[SentimentSentence, MalformedInputError]]:
    """
    The sentences of a file, with an error in the place of each that cannot be read. `classes` gives
    the class of each label that there may be, as `classes_of_labels` does.
    """
    lines = _with_lost_halves(path, sentence_lines(path, "sst_lines"))
    return scan_lines(path, lines, partial(_sentence, path, classes))


def _with_lost_halves(path: str, lines: Iterable[Result]) -> Iterator[Result]:
    """
    The lines, with an error in the place of each with which the next goes on: that has no tab, and
    no label before a space either, so that a line feed cuts a sentence in two.
    """
    last: Optional[Line] = None
    for line in lines:
        if isinstance(line, MalformedInputError):
            # An empty line is told of at once, and the line before it may still be a half.
            if last is not None and line.fault is not Fault.EMPTY_LINE:
                yield last
                last = None
            yield line
        elif last is not None and "\t" not in line.text and not LABEL_SPACE_TEXT.match(line.text):
            detail = f"{quoted(line.text)} has no label, and goes on with line {last.number}"
            yield MalformedInputError(path, line.number, Fault.LINE_WITHIN, detail)
            last = None
        else:
            if last is not None:
                yield last
            last = line if "\t" in line.text else None
            if last is None:
                yield line
    if last is not None:
        yield last


def _sentence(path: str, classes: Mapping[str, Optional[str]], line: Line) -> SentimentSentence:
    cells = line.text.split("\t")
    if line.number == 1:
        _check_header(path, cells)
    if len(cells) != 2:
        raise _wrong_columns(path, line, cells)
    label, text = cells
    if label.lower() not in classes:
        if text.strip(" ").lower() in classes:
            detail = f"{quoted(text)} after the tab, and {quoted(label)} before it"
            raise MalformedInputError(path, line.number, Fault.COLUMN_ORDER, detail)
        detail = f"the label {quoted(label)} is not one of {', '.join(classes)}"
        raise MalformedInputError(path, line.number, Fault.LABEL, detail)
    words = [word for word in text.split(" ") if word]
    if not words:
        raise MalformedInputError(path, line.number, Fault.NO_WORDS, "nothing after the label")
    return SentimentSentence(words, classes[label.lower()], source=f"{path}:{line.number}")


def _wrong_columns(path: str, line: Line, cells: List[str]) -> MalformedInputError:
    fault, detail = Fault.COLUMN_COUNT, f"{len(cells)} columns, where each line has two: label text"
    if LABEL_SPACE_TEXT.match(line.text) and len(cells) == 1:
        fault, detail = Fault.NO_TAB, quoted(line.text)
    elif len(cells) > 2 and not any(cells[2:]):
        fault = Fault.TRAILING_TAB
    return MalformedInputError(path, line.number, fault, detail)


def _check_header(path: str, cells: List[str]) -> None:
    """
    # Raises

    `MalformedInputError` if the first line names the columns.
    """
    names = [cell.strip().lower() for cell in cells]
    if not _TEXT_NAMES.intersection(names):
        return
    detail = f"the first line is {quoted(chr(9).join(cells))}"
    if names[0] in _LABEL_NAMES:
        raise MalformedInputError(path, 1, Fault.HEADER_LINE, detail)
    if len(names) == 2 and names[1] in _LABEL_NAMES:
        raise MalformedInputError(path, 1, Fault.TEXT_BEFORE_LABEL, detail)
    if len(names) == 2 and names[0] in _NUMBER_NAMES:
        raise MalformedInputError(path, 1, Fault.NO_LABELS, detail)
