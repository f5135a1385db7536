"""
Sentences with sentiment in columns or in lines, and detection of the format of such files.

The column format has one token per line, `id form lemma pos label`, and an empty line after each
sentence. The code of [Peng et al. (2018)](https://aclanthology.org/P18-1173) uses this format. It
repeats the label of the sentence on each line, and reads the last one. Here, lines may omit the
label (`_`), as long as one has it, and all given labels agree.

The line format has one sentence per line, `label text`, separated by a tab, with spaces between
words. Words may contain a no-break space, as do some fractions in the Stanford Sentiment Treebank:
only spaces separate words.

The third format, bracketed trees, is in its own file, `sst.py`.

A *grade* is one of the five degrees of sentiment in the Stanford Sentiment Treebank. A *label* in a
file is the name of a grade, or its number among the grades of the file's granularity. The *class*
that a reader assigns is its number in the granularity requested of the reader.
"""

import re
from collections import Counter
from functools import partial
from itertools import islice
from typing import Counter as CounterType
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Union

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.errors import MalformedInputError, quoted
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.blocks import Block, identifier_of, parse_blocks, read_blocks
from spigot_allennlp.data.formats.lines import (
    Line,
    LineResult,
    numbered_lines,
    parse_lines,
    sentence_lines,
)
from spigot_allennlp.data.formats.source import PathOrSource, as_source

SENTIMENT_LAYOUTS = ("trees", "columns", "lines")
# The number of lines that are examined to find the layout of a file.
SAMPLE_SIZE = 50

COLUMN_NAMES = ("id", "form", "lemma", "pos", "label")
LABEL_SPACE_TEXT = re.compile(r"[0-9]+ +\S")

# From 0 to 4, the labels of the Stanford Sentiment Treebank.
GRADES = ("very negative", "negative", "neutral", "positive", "very positive")

# The class of each grade. None is left out, as in most work with the Stanford Sentiment Treebank.
CLASSES = {
    "2-class": ("0", "0", None, "1", "1"),
    "3-class": ("0", "0", "1", "2", "2"),
    "5-class": ("0", "1", "2", "3", "4"),
}

# The grades of the labels 0, 1, ... in a file.
_GRADES_OF_NUMBERS = {"2-class": (1, 3), "3-class": (1, 2, 3), "5-class": (0, 1, 2, 3, 4)}

# The names that the first line may give to a column, if it is a header.
_LABEL_NAMES = {"label", "labels", "sentiment"}
_TEXT_NAMES = {"sentence", "text", "review", "phrase"}
_NUMBER_NAMES = {"index", "idx", "id"}


def find_sentiment_layout(source: PathOrSource) -> str:
    """
    Returns the layout that fits most of the first lines, one of `SENTIMENT_LAYOUTS`. If no line
    decides, it is `"trees"`: faults will show when the lines are parsed.

    # Raises

    `MalformedInputError` if a compressed file is damaged.
    """
    sample = islice(numbered_lines(source), SAMPLE_SIZE)
    votes: CounterType[Optional[str]] = Counter(_layout_of(line.text) for line in sample)
    return max(SENTIMENT_LAYOUTS, key=lambda layout: votes[layout])


def _layout_of(line: str) -> Optional[str]:
    """Returns the layout in which this is a line, or `None`."""
    columns = line.rstrip("\t").split("\t")
    if len(columns) == len(COLUMN_NAMES) and columns[0].isdigit():
        return "columns"
    if len(columns) == 2 or LABEL_SPACE_TEXT.match(line):
        return "lines"
    return "trees" if line.lstrip().startswith("(") else None


def classes_of_labels(
    granularity: str, file_granularity: str = "5-class"
) -> Dict[str, Optional[str]]:
    """
    Returns the class of each label that a file may have: a number from 0 or a name in `GRADES`.

    # Parameters

    granularity : `str`
        The granularity to return: `"2-class"`, `"3-class"` or `"5-class"`.
    file_granularity : `str`, optional (default = `"5-class"`)
        The granularity of the numbers in the file, which start from the most negative.

    # Returns

    `Dict[str, Optional[str]]`
        Maps labels to classes; to `None` if their sentences are to be left out.

    # Raises

    `ValueError` if the file has fewer classes than requested.
    """
    grades = _GRADES_OF_NUMBERS[file_granularity]
    if len(grades) < len(_GRADES_OF_NUMBERS[granularity]):
        raise ValueError(
            f"a file of {file_granularity} labels cannot tell the classes of {granularity}"
        )
    classes = CLASSES[granularity]
    by_number = {str(number): classes[grade] for number, grade in enumerate(grades)}
    return {**by_number, **dict(zip(GRADES, classes, strict=True))}


def scan_sentiment_columns(
    source: PathOrSource, classes: Mapping[str, Optional[str]]
) -> Iterator[Union[AnnotatedSentence, MalformedInputError]]:
    """
    Yields the sentences of a text in columns, with an error in place of each that cannot be read.
    `classes` maps each possible label to its class, as in `classes_of_labels`.
    """
    source = as_source(source)
    return parse_blocks(source.name, read_blocks(source), partial(_sentence_of_block, classes))


def _sentence_of_block(classes: Mapping[str, Optional[str]], block: Block) -> AnnotatedSentence:
    rows = block.columns(lambda: len(COLUMN_NAMES))
    for index, row in enumerate(rows):
        if len(row) != len(COLUMN_NAMES):
            detail = (
                f"{len(row)} columns, where there are {len(COLUMN_NAMES)}: {' '.join(COLUMN_NAMES)}"
            )
            raise block.error_at(index, Fault.COLUMN_COUNT, detail)
        if row[0] != str(index + 1):
            detail = f"{quoted(row[0])} where {index + 1} is due"
            raise block.error_at(index, Fault.TOKEN_ID, detail)
    label = _label_of_rows(block, rows, classes)
    return AnnotatedSentence(
        words=[row[1] for row in rows],
        label=classes[label],
        lemmas=[row[2] for row in rows],
        pos=[row[3] for row in rows],
        identifier=identifier_of(block.comments),
        source=f"{block.path}:{block.line_numbers[0]}",
    )


def _label_of_rows(
    block: Block, rows: List[List[str]], classes: Mapping[str, Optional[str]]
) -> str:
    """Returns the label of a sentence. Its rows must agree on it."""
    labels = [(index, row[4]) for index, row in enumerate(rows) if row[4] != "_"]
    if not labels:
        raise block.error_at(0, Fault.LABEL, "no line of the sentence has one")
    label = labels[0][1].lower()
    for index, text in labels:
        if text.lower() not in classes:
            detail = f"the label {quoted(text)} is not one of {', '.join(classes)}"
            raise block.error_at(index, _fault_of_label(text), detail)
        if text.lower() != label:
            detail = f"the label {text!r}, where an earlier line of the sentence has {label!r}"
            raise block.error_at(index, Fault.LABEL, detail)
    return label


def _fault_of_label(label: str) -> Fault:
    """
    Returns the fault of a label that the file should not have. If the label belongs to a finer
    granularity, all labels of the file were misinterpreted.
    """
    return Fault.FINER_LABELS if label in map(str, range(len(GRADES))) else Fault.LABEL


def scan_sentiment_lines(
    source: PathOrSource, classes: Mapping[str, Optional[str]]
) -> Iterator[Union[AnnotatedSentence, MalformedInputError]]:
    """
    Yields the sentences of a text in lines, with an error in place of each that cannot be read.
    `classes` maps each possible label to its class, as in `classes_of_labels`.
    """
    name = as_source(source).name
    lines = _check_cut_sentences(name, sentence_lines(source))
    return parse_lines(name, lines, partial(_sentence_of_line, name, classes))


def _check_cut_sentences(name: str, lines: Iterable[LineResult]) -> Iterator[LineResult]:
    """
    Yields the lines, with an error in place of each sentence that a line feed cuts in two: the
    second line has neither a tab nor a label before a space.
    """
    last: Optional[Line] = None
    for line in lines:
        if isinstance(line, MalformedInputError):
            # An empty line is not a second half, so the line before it is kept until the next one.
            if last is not None and line.fault is not Fault.EMPTY_LINE:
                yield last
                last = None
            yield line
        elif last is not None and "\t" not in line.text and not LABEL_SPACE_TEXT.match(line.text):
            detail = f"{quoted(line.text)} has no label, and goes on with line {last.number}"
            yield MalformedInputError(name, line.number, Fault.LINE_WITHIN, detail)
            last = None
        else:
            if last is not None:
                yield last
            last = line if "\t" in line.text else None
            if last is None:
                yield line
    if last is not None:
        yield last


def _sentence_of_line(
    name: str, classes: Mapping[str, Optional[str]], line: Line
) -> AnnotatedSentence:
    columns = line.text.split("\t")
    if line.number == 1:
        _check_header(name, columns)
    if len(columns) != 2:
        raise _wrong_columns(name, line, columns)
    label, text = columns
    if label.lower() not in classes:
        if text.strip(" ").lower() in classes:
            detail = f"{quoted(text)} after the tab, and {quoted(label)} before it"
            raise MalformedInputError(name, line.number, Fault.COLUMN_ORDER, detail)
        detail = f"the label {quoted(label)} is not one of {', '.join(classes)}"
        raise MalformedInputError(name, line.number, _fault_of_label(label), detail)
    words = [word for word in text.split(" ") if word]
    if not words:
        raise MalformedInputError(name, line.number, Fault.NO_WORDS, "nothing after the label")
    return AnnotatedSentence(words, source=f"{name}:{line.number}", label=classes[label.lower()])


def _wrong_columns(name: str, line: Line, columns: List[str]) -> MalformedInputError:
    fault = Fault.COLUMN_COUNT
    detail = f"{len(columns)} columns, where each line has two: label text"
    if LABEL_SPACE_TEXT.match(line.text) and len(columns) == 1:
        fault, detail = Fault.NO_TAB, quoted(line.text)
    elif len(columns) > 2 and not any(columns[2:]):
        fault = Fault.TRAILING_TAB
    return MalformedInputError(name, line.number, fault, detail)


def _check_header(name: str, columns: List[str]) -> None:
    """
    # Raises

    `MalformedInputError` if the first line names the columns.
    """
    names = [column.strip().lower() for column in columns]
    if not _TEXT_NAMES.intersection(names):
        return
    detail = f"the first line is {quoted(chr(9).join(columns))}"
    if names[0] in _LABEL_NAMES:
        raise MalformedInputError(name, 1, Fault.HEADER_LINE, detail)
    if len(names) == 2 and names[1] in _LABEL_NAMES:
        raise MalformedInputError(name, 1, Fault.TEXT_BEFORE_LABEL, detail)
    if len(names) == 2 and names[0] in _NUMBER_NAMES:
        raise MalformedInputError(name, 1, Fault.NO_LABELS, detail)
