"""What makes a sequence of heads a tree, and which trees and graphs a model can have."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.errors import Fault, MalformedInputError


@dataclass(frozen=True)
class TreeRules:
    """
    The trees to be accepted. A cycle is never a tree; several roots and crossing arcs are a matter
    of what the structure of a model has.

    # Parameters

    multiple_roots : `bool`, optional (default = `False`)
        Whether several words may hang on the root.
    projective : `bool`, optional (default = `False`)
        Whether trees with crossing arcs, the root's included, are refused.
    """

    multiple_roots: bool = False
    projective: bool = False

    def check(self, heads: Sequence[Optional[int]], path: str, lines: Sequence[int]) -> List[int]:
        """
        The `heads`, if they make a tree.

        # Parameters

        heads : `Sequence[Optional[int]]`
            For each word the position of its head from 1, 0 for the root, `None` for none given.
        path : `str`
        lines : `Sequence[int]`
            Where in the file `path` each word stands.

        # Raises

        `MalformedInputError` if they do not.
        """
        known = [head for head in heads if head is not None]
        if len(known) < len(heads):
            line = lines[heads.index(None)]
            raise MalformedInputError(path, line, Fault.HEAD, "the head is _")
        cycle = find_cycle(known)
        if cycle:
            chain = " -> ".join(map(str, [*cycle, cycle[0]]))
            raise MalformedInputError(path, lines[cycle[0] - 1], Fault.CYCLE, chain)
        roots = [position for position, head in enumerate(known, 1) if head == 0]
        if len(roots) > 1 and not self.multiple_roots:
            detail = f"the tokens {', '.join(map(str, roots))} have head 0"
            raise MalformedInputError(path, lines[roots[1] - 1], Fault.ROOTS, detail)
        word = find_crossing(known) if self.projective else None
        if word is not None:
            detail = f"another arc crosses that from {known[word - 1]} to {word}"
            raise MalformedInputError(path, lines[word - 1], Fault.NON_PROJECTIVE, detail)
        return known


@dataclass(frozen=True)
class GraphRules:
    """
    The semantic graphs to be accepted.

    # Parameters

    deterministic_roles : `Tuple[str, ...]`, optional (default = `()`)
        Roles that a predicate has at most once.
    """

    deterministic_roles: Tuple[str, ...] = ()

    def check(self, arcs: List[Arc], path: str, lines: Sequence[int]) -> List[Arc]:
        """
        The `arcs`, `(predicate, argument, role)`, if they keep the rules; `path` and `lines` as in
        `TreeRules.check`.

        # Raises

        `MalformedInputError` if they do not.
        """
        first: Dict[Tuple[int, str], int] = {}
        for predicate, argument, role in arcs:
            if role in self.deterministic_roles:
                other = first.setdefault((predicate, role), argument)
                if other != argument:
                    detail = f"the tokens {other} and {argument} are both {role} of {predicate}"
                    raise MalformedInputError(path, lines[argument - 1], Fault.ROLE_TWICE, detail)
        return arcs


def find_cycle(heads: Sequence[int]) -> List[int]:
    """The positions on a cycle, each followed by its head; empty if every word reaches the root."""
    reached = [False] * (len(heads) + 1)
    reached[0] = True
    for start in range(1, len(heads) + 1):
        path: List[int] = []
        word = start
        while not reached[word]:
            reached[word] = True
            path.append(word)
            word = heads[word - 1]
        if word in path:
            return path[path.index(word) :]
    return []


def find_crossing(heads: Sequence[int]) -> Optional[int]:
    """A word, from 1, whose arc another arc crosses; `None` if the tree is projective."""
    spans = [(min(head, word), max(head, word)) for word, head in enumerate(heads, 1)]
    for word, (left, right) in enumerate(spans, 1):
        if any(left < start < right < end for start, end in spans):
            return word
    return None
