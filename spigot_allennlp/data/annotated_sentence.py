"""The record of a sentence, in any format. Readers make instances from it."""

from dataclasses import dataclass
from typing import List, NamedTuple, Optional


class Arc(NamedTuple):
    """
    An arc of a semantic graph, between words counted from 1.

    # Parameters

    predicate : `int`
        The word where the arc starts.
    argument : `int`
        The word where the arc ends, perhaps the same.
    role : `str`
        The role of the argument.
    """

    predicate: int
    argument: int
    role: str


@dataclass
class AnnotatedSentence:
    """
    Holds the words of a sentence and its layers of annotation. A missing layer is `None`. Positions
    count from 1; 0 is the root.

    # Parameters

    words : `List[str]`
    lemmas : `List[str]`, optional
    pos : `List[str]`, optional
        Parts of speech; the coarse ones if there are two kinds.
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
