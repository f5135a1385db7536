"""
The bracketed trees of the Stanford Sentiment Treebank: `(3 (2 It) (3 (3 works) (2 .)))`.

Each line is a sentence: a binary tree with a label from 0 (very negative) to 4 (very positive) on
every phrase ([Socher et al., 2013](https://aclanthology.org/D13-1170)). Words are kept as in the
file: `-LRB-` for a bracket (see `unescape`), and some with a no-break space.
"""

import re
from typing import Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.errors import MalformedInputError, quoted
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.lines import Line, parse_lines, sentence_lines
from spigot_allennlp.data.formats.source import PathOrSource, as_source

LABELS = ("0", "1", "2", "3", "4")
_BETWEEN_WORDS = " \t"
_PARTS = re.compile(rf"[()]|[^{_BETWEEN_WORDS}()]+")
#: The escapes of the Penn Treebank for characters that have a meaning in its files.
ESCAPES = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "\\/": "/",
    "\\*": "*",
}
_ESCAPE = re.compile("|".join(map(re.escape, ESCAPES)))
_NOT_IN_WORDS = re.compile(f"[{_BETWEEN_WORDS}\r\n()\0\ud800-\udfff]")


class SentimentLabelError(ValueError):
    """Raised for a phrase with a label that is not in `LABELS`."""


class SentimentTree(NamedTuple):
    """
    A phrase: either a `word`, or two or more `children`.

    # Parameters

    label : `int`
        From 0, very negative, to 4, very positive.
    word : `str`, optional
        As in the file, with `-LRB-` and `-RRB-` for brackets.
    children : `Tuple[SentimentTree, ...]`, optional
    """

    label: int
    word: str = ""
    children: "Tuple[SentimentTree, ...]" = ()

    @property
    def words(self) -> List[str]:
        """Returns the words of the phrase."""
        return [phrase.word for phrase in self.phrases() if not phrase.children]

    def phrases(self) -> "Iterator[SentimentTree]":
        """Yields this phrase and those within it, from left to right, longer ones first."""
        # Without recursion, since trees may be deeper than Python allows.
        stack = [self]
        while stack:
            phrase = stack.pop()
            yield phrase
            stack.extend(reversed(phrase.children))


def scan_sst(
    source: PathOrSource, classes: Mapping[str, Optional[str]], phrases: bool = False
) -> Iterator[Union[AnnotatedSentence, MalformedInputError]]:
    """
    Yields the sentences of a text, with an error in place of each that cannot be read.

    # Parameters

    source : `PathOrSource`
    classes : `Mapping[str, Optional[str]]`
        The class of each of `LABELS`, from `classes_of_labels`.
    phrases : `bool`, optional (default = `False`)
        Whether each phrase of a tree is yielded as a sentence: first the whole, then those within
        it, down to the words.
    """
    name = as_source(source).name

    def parse(line: Line) -> Iterator[AnnotatedSentence]:
        tree = _parse_line(name, line)  # only this can fail: the sentences are made lazily
        return (
            AnnotatedSentence(
                words=phrase.words,
                source=f"{name}:{line.number}",
                label=classes[str(phrase.label)],
            )
            for phrase in (tree.phrases() if phrases else (tree,))
        )

    for result in parse_lines(name, sentence_lines(source), parse):
        if isinstance(result, MalformedInputError):
            yield result
        else:
            yield from result


def _parse_line(name: str, line: Line) -> SentimentTree:
    """
    # Raises

    `MalformedInputError` if the line is not a tree.
    """
    try:
        return parse_sst(line.text)
    except SentimentLabelError as error:
        raise MalformedInputError(name, line.number, Fault.LABEL, str(error)) from error
    except ValueError as error:
        raise MalformedInputError(name, line.number, Fault.BRACKETS, str(error)) from error


def parse_sst(line: str) -> SentimentTree:
    """
    Returns the tree of a line.

    # Raises

    `ValueError` that says what is wrong, and at which character, counted from 1. For a wrong label,
    it is a `SentimentLabelError`.
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
    """Collects a phrase until its closing bracket is read."""

    __slots__ = ("column", "label", "word", "children")

    def __init__(self, column: int) -> None:
        self.column = column
        self.label = ""
        self.word = ""
        self.children: List[SentimentTree] = []

    def add(self, part: str, column: int) -> None:
        """Adds the label, then the word."""
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
        """Returns the phrase, at its closing bracket."""
        self.check_label()
        if not self.word and not self.children:
            raise ValueError(f"the phrase of character {self.column} holds no word")
        if self.word and self.children:
            raise ValueError(f"the phrase of character {self.column} holds a word and phrases")
        return SentimentTree(int(self.label), self.word, tuple(self.children))


def format_sst(tree: SentimentTree) -> str:
    """
    Returns the tree on one line, without a line end.

    # Raises

    `ValueError` if a word could not be read back, or a label is invalid.
    """
    parts: List[str] = []
    # Phrases that are not yet written, and the closing brackets of those around them.
    stack: List[Union[SentimentTree, str]] = [tree]
    while stack:
        phrase = stack.pop()
        if isinstance(phrase, str):
            parts.append(phrase)
        elif phrase.children:
            parts.append(f" ({_written_label(phrase)}")
            stack.append(")")
            stack.extend(reversed(phrase.children))
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


def unescape(word: str) -> str:
    """
    Returns the word as in the original text, even if an escape is only part of it. Most word
    vectors, and treebanks such as those of SDP, have the original characters.
    """
    return _ESCAPE.sub(lambda match: ESCAPES[match.group()], word)
