"""
The bracketed trees of the Stanford Sentiment Treebank: `(3 (2 It) (3 (3 works) (2 .)))`.

One sentence a line, a binary tree, with a label from 0 (very negative) to 4 (very positive) on
every phrase ([Socher et al., 2013](https://aclanthology.org/D13-1170)). Words are kept as they
stand there: `-LRB-` for a bracket (see `treebank_escapes.py`), and some with a no-break space.
"""

import re
from typing import Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from spigot_allennlp.data.errors import Fault, MalformedInputError, attempt
from spigot_allennlp.data.numbered_lines import Line
from spigot_allennlp.data.sentence_lines import sentence_lines
from spigot_allennlp.data.sentiment_sentence import SentimentSentence

LABELS = ("0", "1", "2", "3", "4")
_BETWEEN_WORDS = " \t"
_PARTS = re.compile(rf"[()]|[^{_BETWEEN_WORDS}()]+")
_NOT_IN_WORDS = frozenset(_BETWEEN_WORDS + "\r\n()")


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
        if not self.children:
            return [self.word]
        return [word for child in self.children for word in child.words]

    def phrases(self) -> "Iterator[SentimentTree]":
        """This phrase, and those within it, from left to right, the longer ones first."""
        yield self
        for child in self.children:
            yield from child.phrases()


def format_sst(tree: SentimentTree) -> str:
    """
    The tree on one line, without the line's end.

    # Raises

    `ValueError` if a word is empty, or has a bracket or white space in it, or a label is none.
    """
    if str(tree.label) not in LABELS:
        raise ValueError(f"the label {tree.label!r} is not one of {', '.join(LABELS)}")
    if tree.children:
        return f"({tree.label} {' '.join(format_sst(child) for child in tree.children)})"
    if not tree.word or _NOT_IN_WORDS.intersection(tree.word):
        raise ValueError(
            f"{tree.word!r} cannot be a word: it is empty, or has white space or a bracket in it. "
            "A bracket is written -LRB- or -RRB-."
        )
    return f"({tree.label} {tree.word})"


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
    for line in sentence_lines(path, "sst"):
        sentences = attempt(_sentences, line, path, classes, phrases)
        if isinstance(sentences, MalformedInputError):
            yield sentences
        else:
            yield from sentences


def _sentences(
    line: Line, path: str, classes: Mapping[str, Optional[str]], phrases: bool
) -> List[SentimentSentence]:
    """
    # Raises

    `MalformedInputError` if the line is no tree.
    """
    try:
        tree = parse_sst(line.text)
    except SentimentLabelError as error:
        raise MalformedInputError(path, line.number, Fault.LABEL, str(error)) from error
    except ValueError as error:
        raise MalformedInputError(path, line.number, Fault.BRACKETS, str(error)) from error
    return [
        SentimentSentence(one.words, classes[str(one.label)], source=f"{path}:{line.number}")
        for one in (tree.phrases() if phrases else (tree,))
    ]


def parse_sst(line: str) -> SentimentTree:
    """
    The tree of a line.

    # Raises

    `ValueError` that says what is wrong, and at which character, counted from 1; if that is a
    label, a `SentimentLabelError`.
    """
    parts = [(match.group(), match.start() + 1) for match in _PARTS.finditer(line)]
    if not parts:
        raise ValueError("the line is empty")
    open_phrases: List[_OpenPhrase] = []
    for index, (part, column) in enumerate(parts):
        if part == "(":
            open_phrases.append(_OpenPhrase(column))
        elif not open_phrases:
            raise ValueError(f"{part!r} at character {column} is outside the brackets")
        elif part != ")":
            open_phrases[-1].add(part, column)
        else:
            phrase = open_phrases.pop().close(column)
            if open_phrases:
                open_phrases[-1].children.append(phrase)
            elif index + 1 < len(parts):
                raise ValueError(f"more after the tree, from character {parts[index + 1][1]} on")
            else:
                return phrase
    start = open_phrases[-1].column
    raise ValueError(f"the line ends before the bracket of character {start} is closed")


class _OpenPhrase:
    """A phrase whose closing bracket is still to come."""

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
                    f"the label {part!r} at character {column} is not one of {labels}"
                )
            self.label = part
        elif self.word or self.children:
            raise ValueError(f"{part!r} at character {column} is one word too many for a phrase")
        else:
            self.word = part

    def close(self, column: int) -> SentimentTree:
        """The phrase, at its closing bracket."""
        if not self.label:
            raise ValueError(f"the phrase of character {self.column} has no label")
        if not self.word and not self.children:
            raise ValueError(f"the phrase of character {self.column} holds no word")
        if self.word and self.children:
            raise ValueError(f"the phrase of character {self.column} holds a word and phrases")
        return SentimentTree(int(self.label), self.word, tuple(self.children))
