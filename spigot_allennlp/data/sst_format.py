"""
The bracketed trees of the Stanford Sentiment Treebank: `(3 (2 It) (3 (3 works) (2 .)))`.

One sentence a line, a binary tree, with a label from 0 (very negative) to 4 (very positive) on
every phrase ([Socher et al., 2013](https://aclanthology.org/D13-1170)). Words are kept as they
stand there: `-LRB-` for a bracket (see `treebank_escapes.py`), and some with a no-break space.
"""

import re
from functools import partial
from typing import Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from spigot_allennlp.data.errors import Fault, MalformedInputError, quoted
from spigot_allennlp.data.numbered_lines import Line
from spigot_allennlp.data.sentence_lines import scan_lines, sentence_lines
from spigot_allennlp.data.sentiment_sentence import SentimentSentence

LABELS = ("0", "1", "2", "3", "4")
_BETWEEN_WORDS = " \t"
_PARTS = re.compile(rf"[()]|[^{_BETWEEN_WORDS}()]+")
_NOT_IN_WORDS = re.compile(f"[{_BETWEEN_WORDS}\r\n()\0\ud800-\udfff]")


class SentimentLabelError(ValueError):
    """Raised for a phrase whose label is none of `LABELS`."""


class SentimentTree(NamedTuple):
    """
    A phrase: either a `word`, or two or more `children`.

    # Parameters

    label : `int`
        From 0, very negative, to 4, very positive.
    word : `str`, optional
        As it stands in the file, with `-LRB-` and `-RRB-` for brackets.
    children : `Tuple[SentimentTree, ...]`, optional
    """

    label: int
    word: str = ""
    children: "Tuple[SentimentTree, ...]" = ()

    @property
    def words(self) -> List[str]:
        """The words of the phrase."""
        return [phrase.word for phrase in self.phrases() if not phrase.children]

    def phrases(self) -> "Iterator[SentimentTree]":
        """This phrase, and those within it, from left to right, the longer ones first."""
        # No function calls itself here: trees are deeper than Python lets it.
        coming = [self]
        while coming:
            phrase = coming.pop()
            yield phrase
            coming.extend(reversed(phrase.children))


def format_sst(tree: SentimentTree) -> str:
    """
    The tree on one line, without the line's end.

    # Raises

    `ValueError` if a word is none that would be read again, or a label is none.
    """
    parts: List[str] = []
    # Phrases that are still to be written, and the brackets that close those around them.
    coming: List[Union[SentimentTree, str]] = [tree]
    while coming:
        phrase = coming.pop()
        if isinstance(phrase, str):
            parts.append(phrase)
        elif phrase.children:
            parts.append(f" ({_written_label(phrase)}")
            coming.append(")")
            coming.extend(reversed(phrase.children))
        else:
            parts.append(f" ({_written_label(phrase)} {_written_word(phrase)})")
    return "".join(parts)[1:]


def _written_label(phrase: SentimentTree) -> str:
    if str(phrase.label) not in LABELS:
        raise ValueError(f"the label {phrase.label!r} is not one of {', '.join(LABELS)}")
    return str(phrase.label)


def _written_word(phrase: SentimentTree) -> str:
    if not phrase.word or _NOT_IN_WORDS.search(phrase.word):
        raise ValueError(
            f"{quoted(phrase.word)} cannot be a word: it is empty, or has white space, a bracket, "
            "a NUL or half of a surrogate pair in it. A bracket is written -LRB- or -RRB-."
        )
    return phrase.word


def scan_sst(
    path: str, classes: Mapping[str, Optional[str]], phrases: bool = False
) -> Iterator[Union[SentimentSentence, MalformedInputError]]:
    """
    The sentences of a file, with an error in the place of each that cannot be read.

    # Parameters

    path : `str`
    classes : `Mapping[str, Optional[str]]`
        The class of each of `LABELS`, as `classes_of_labels` gives it.
    phrases : `bool`, optional (default = `False`)
        Whether each phrase of a tree is a sentence by itself: first the whole, then those within
        it, down to the words.
    """
    for result in scan_lines(path, sentence_lines(path, "sst"), partial(_parse, path)):
        if isinstance(result, MalformedInputError):
            yield result
        else:
            for phrase in result.tree.phrases() if phrases else (result.tree,):
                label = classes[str(phrase.label)]
                yield SentimentSentence(phrase.words, label, source=f"{path}:{result.number}")


class _NumberedTree(NamedTuple):
    """A tree, and the number of its line."""

    tree: SentimentTree
    number: int


def _parse(path: str, line: Line) -> _NumberedTree:
    """
    # Raises

    `MalformedInputError` if the line is no tree.
    """
    try:
        return _NumberedTree(parse_sst(line.text), line.number)
    except SentimentLabelError as error:
        raise MalformedInputError(path, line.number, Fault.LABEL, str(error)) from error
    except ValueError as error:
        raise MalformedInputError(path, line.number, Fault.BRACKETS, str(error)) from error


def parse_sst(line: str) -> SentimentTree:
    """
    The tree of a line.

    # Raises

    `ValueError` that says what is wrong, and at which character, counted from 1; if that is a
    label, a `SentimentLabelError`.
    """
    open_phrases: List[_OpenPhrase] = []
    matches = _PARTS.finditer(line)
    for match in matches:
        part, column = match.group(), match.start() + 1
        if part == "(":
            if open_phrases:
                open_phrases[-1].check_label()
            open_phrases.append(_OpenPhrase(column))
        elif not open_phrases:
            raise ValueError(f"{quoted(part)} at character {column} is outside the brackets")
        elif part != ")":
            open_phrases[-1].add(part, column)
        else:
            phrase = open_phrases.pop().close()
            if not open_phrases:
                more = next(matches, None)
                if more is None:
                    return phrase
                raise ValueError(f"more after the tree, from character {more.start() + 1} on")
            open_phrases[-1].children.append(phrase)
    if not open_phrases:
        raise ValueError("the line is empty")
    start = open_phrases[-1].column
    raise ValueError(f"the line ends before the bracket of character {start} is closed")


class _OpenPhrase:
    """A phrase whose closing bracket is still to come."""

    __slots__ = ("column", "label", "word", "children")

    def __init__(self, column: int) -> None:
        self.column = column
        self.label = ""
        self.word = ""
        self.children: List[SentimentTree] = []

    def add(self, part: str, column: int) -> None:
        """Takes in the label, then the word."""
        if not self.label:
            if part not in LABELS:
                labels = ", ".join(LABELS)
                raise SentimentLabelError(
                    f"the label {quoted(part)} at character {column} is not one of {labels}"
                )
            self.label = part
        elif self.word or self.children:
            shown = quoted(part)
            raise ValueError(f"{shown} at character {column} is one word too many for a phrase")
        else:
            self.word = part

    def check_label(self) -> None:
        """Raises a `ValueError` if there is no label yet."""
        if not self.label:
            raise ValueError(f"the phrase of character {self.column} has no label")

    def close(self) -> SentimentTree:
        """The phrase, at its closing bracket."""
        self.check_label()
        if not self.word and not self.children:
            raise ValueError(f"the phrase of character {self.column} holds no word")
        if self.word and self.children:
            raise ValueError(f"the phrase of character {self.column} holds a word and phrases")
        return SentimentTree(int(self.label), self.word, tuple(self.children))
