"""The arcs of a semantic graph by their ends, and the words with what the lexicon knows of them."""

from collections import defaultdict
from typing import Dict, List, Optional, Sequence, Set, Tuple

from spigot_allennlp.data.synthetic.entries import Entry, Word
from spigot_allennlp.data.synthetic.function_words import SUBORDINATORS
from spigot_allennlp.data.synthetic.lexicon import look_up
from spigot_allennlp.data.synthetic.semantic_graph import CLAUSE_ROLES, SemanticGraph


class GraphIndex:
    """
    One graph, or the part of it that lies within a span. Positions count from 1.

    # Parameters

    words : `Sequence[Word]`
    graph : `SemanticGraph`
    span : `range`, optional
        Arcs with an end outside are not seen; by default all are.
    """

    def __init__(
        self, words: Sequence[Word], graph: SemanticGraph, span: Optional[range] = None
    ) -> None:
        self.words = words
        self._arguments: Dict[int, List[Tuple[int, str]]] = defaultdict(list)
        self._predicates: Dict[int, List[Tuple[int, str]]] = defaultdict(list)
        for predicate, argument, role in graph.arcs:
            if span is None or (predicate in span and argument in span):
                self._arguments[predicate].append((argument, role))
                self._predicates[argument].append((predicate, role))

    def word(self, position: int) -> Word:
        """The word at a position."""
        return self.words[position - 1]

    def entry(self, position: int) -> Optional[Entry]:
        """What the lexicon knows of the word."""
        return look_up(self.words[position - 1])

    def kind(self, position: int) -> str:
        """The kind that the lexicon gives the word, or nothing."""
        entry = self.entry(position)
        return entry.kind if entry else ""

    def polarity(self, position: int) -> int:
        """The polarity that the lexicon gives the word, or 0."""
        entry = self.entry(position)
        return entry.polarity if entry else 0

    def arguments(self, position: int, *roles: str) -> List[int]:
        """What the word has in these roles."""
        return [argument for argument, role in self._arguments[position] if role in roles]

    def predicates(self, position: int, *roles: str) -> List[int]:
        """The words for which this one has one of these roles."""
        return [predicate for predicate, role in self._predicates[position] if role in roles]

    def roles(self, position: int) -> List[Tuple[int, str]]:
        """The predicates of the word, with its role for each."""
        return self._predicates[position]

    def clause(self, position: int) -> int:
        """The clause that a verb of raising, control or attribution takes, or 0."""
        role = CLAUSE_ROLES.get(self.kind(position))
        return next(iter(self.arguments(position, role)), 0) if role else 0

    def embedding(self, position: int) -> int:
        """The verb whose clause this is, or 0."""
        for predicate, _ in self._predicates[position]:
            if self.clause(predicate) == position:
                return predicate
        return 0

    def conjuncts(self, position: int) -> List[Tuple[int, str]]:
        """What is coordinated with the word, each with the conjunction."""
        return [
            (argument, role)
            for argument, role in self._arguments[position]
            if role == "conj" or role.endswith("_c")
        ]

    def subordinates(self, position: int) -> List[int]:
        """The clauses with "although", "because" and the like that are added to this one."""
        links = (p for p in self.predicates(position, "ARG1") if self.word(p).form in SUBORDINATORS)
        return [clause for link in links for clause in self.arguments(link, "ARG2")]

    def said(self, top: int) -> Set[int]:
        """The events that are told from `top` on, in distinction to those in relative clauses."""
        told: Set[int] = set()
        waiting = [top]
        while waiting:
            event = waiting.pop()
            if event and event not in told:
                told.add(event)
                waiting.append(self.clause(event))
                waiting.extend(conjunct for conjunct, _ in self.conjuncts(event))
                waiting.extend(self.subordinates(event))
                waiting.extend(self.predicates(event, "subord"))
                for link in self.predicates(event, "ARG1"):
                    if self.word(link).pos == "TO":
                        waiting.extend(self.arguments(link, "ARG2"))
        return told
