"""A sentence with its syntactic tree."""

from typing import Iterator, List, NamedTuple, Tuple

from spigot_allennlp.data.synthetic.treebank.entries import Word


class SyntaxTree(NamedTuple):
    """
    Words, and for each its head and its relation to it, in the style of the basic Stanford
    dependencies (prepositions head their noun, content words head their auxiliaries).

    # Parameters

    words : `Tuple[Word, ...]`
    heads : `Tuple[int, ...]`
        Positions from 1; 0 is the artificial root.
    relations : `Tuple[str, ...]`
    """

    words: Tuple[Word, ...]
    heads: Tuple[int, ...]
    relations: Tuple[str, ...]

    def children(self) -> List[List[int]]:
        """For each position from 0, its dependents from left to right."""
        children: List[List[int]] = [[] for _ in range(len(self.words) + 1)]
        for position, head in enumerate(self.heads, start=1):
            children[head].append(position)
        return children

    def rows(self) -> Iterator[Tuple[int, Word, int, str]]:
        """(position from 1, word, head, relation) of each token."""
        columns = zip(self.words, self.heads, self.relations, strict=True)
        for position, (word, head, relation) in enumerate(columns, start=1):
            yield position, word, head, relation
