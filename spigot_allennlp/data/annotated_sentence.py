"""The record of a sentence, whichever format it is read from; readers make instances of it."""

from dataclasses import dataclass
from typing import List, NamedTuple, Optional


class Arc(NamedTuple):
    """
    An arc of a semantic graph, between words that are counted from 1.

    # Parameters

    predicate : `int`
        The word at which it starts.
    argument : `int`
        The word at which it ends, perhaps the same.
    role : `str`
        That of the argument.
    """

    predicate: int
    argument: int
    role: str


@dataclass
class AnnotatedSentence:
    """
    Holds the words of a sentence and its layers of annotation; a layer that is not there is `None`.
    Positions count from 1, and 0 is the root.

    # Parameters

    words : `List[str]`
    lemmas : `List[str]`, optional
    pos : `List[str]`, optional
        Parts of speech; the coarse ones where there are two kinds.
    tags : `List[str]`, optional
        The fine parts of speech.
    heads : `List[int]`, optional
        The head of each word.
    relations : `List[str]`, optional
        The relation of each word to its head.
    arcs : `List[Arc]`, optional
        The semantic graph.
    tops : `List[int]`, optional
        The words that are tops of the graph.
    identifier : `str`, optional
        The name of the sentence.
    source : `str`, optional
        `file:line` of its first word.
    label : `str`, optional
        The class of the sentence's sentiment.
    """

    words: List[str]
    lemmas: Optional[List[str]] = None
    pos: Optional[List[str]] = None
    tags: Optional[List[str]] = None
    heads: Optional[List[int]] = None
    relations: Optional[List[str]] = None
    arcs: Optional[List[Arc]] = None
    tops: Optional[List[int]] = None
    identifier: Optional[str] = None
    source: Optional[str] = None
    label: Optional[str] = None
