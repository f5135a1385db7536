"""The base of the treebank readers, and the trees and graphs that they accept."""

from dataclasses import dataclass
from numbers import Integral
from typing import Dict, List, Optional, Sequence, Tuple

from spigot_allennlp.config_checks import check_choice
from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.dataset_readers.sentence_reader import RoleCountingField, SentenceReader
from spigot_allennlp.data.errors import MalformedInputError, quoted
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.skipped_report import ON_ERROR

# Faults of a tree or a graph that only mean that a model cannot represent it.
EXCLUDED = (Fault.ROOTS, Fault.NON_PROJECTIVE, Fault.ROLE_TWICE)


class TreebankReader(SentenceReader):
    """
    Reads sentences with trees, semantic graphs, or both. A subclass implements `_sentences`, and
    checks what it reads with `_tree_rules` and `_graph_rules`. See `SentenceReader` for data paths
    and further parameters.

    A model can neither predict nor learn from a tree or graph that its structure does not contain.
    So for training, `multiple_roots`, `projective` and `deterministic_roles` describe the
    structure, and `on_excluded` is "skip". Evaluation data are read without these options, so that
    every sentence counts in the scores. `training_config/common/families.libsonnet` derives the
    options from the structure.

    # Parameters

    trees : `bool`, optional (default = `True`)
        Whether to read the trees, if the format has them. If so, each sentence must have one.
    multiple_roots : `bool`, optional (default = `False`)
        Whether a tree may have several words with head 0. Otherwise this is an error.
    projective : `bool`, optional (default = `False`)
        Whether a tree with crossing arcs is an error.
    deterministic_roles : `List[str]`, optional (default = `None`)
        Roles of the graphs. It is an error if a predicate has one of them twice.
    count_repeated_roles : `bool`, optional (default = `False`)
        Whether a vocabulary built from the graphs records which roles any predicate has twice, for
        a structure with `deterministic_roles: "from_training_data"`.
    on_excluded : `str`, optional (default: as `on_error`)
        What to do with a valid sentence that `multiple_roots`, `projective` or
        `deterministic_roles` excludes. `"raise"` ends the run, with file, line and reason. `"skip"`
        leaves it out, and warns at the end of the file how many of how many were left out, and why.
    """

    def __init__(
        self,
        trees: bool = True,
        multiple_roots: bool = False,
        projective: bool = False,
        deterministic_roles: Optional[List[str]] = None,
        on_excluded: Optional[str] = None,
        count_repeated_roles: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if on_excluded is not None:
            check_choice("on_excluded", on_excluded, ON_ERROR)
            self._on_faults = {fault: on_excluded for fault in EXCLUDED}
        self._graph_rules = GraphRules(tuple(deterministic_roles or ()))
        if count_repeated_roles:
            self._graph_field = RoleCountingField
        self._trees = trees
        self._tree_rules = TreeRules(multiple_roots, projective)


@dataclass(frozen=True)
class TreeRules:
    """
    Decides which trees are accepted. A cycle is never a tree. Whether several roots and crossing
    arcs are allowed depends on the structure of the model.

    # Parameters

    multiple_roots : `bool`, optional (default = `False`)
        Whether several words may be attached to the root.
    projective : `bool`, optional (default = `False`)
        Whether trees with crossing arcs, including those of the root, are an error.
    """

    multiple_roots: bool = False
    projective: bool = False

    def check(
        self, heads: Sequence[Optional[int]], path: str, line_numbers: Sequence[int]
    ) -> List[int]:
        """
        Returns the `heads`, if they make a tree.

        # Parameters

        heads : `Sequence[Optional[int]]`
            For each word, the position of its head from 1; 0 for the root, `None` if not given.
        path : `str`
        line_numbers : `Sequence[int]`
            The line of each word in the file `path`.

        # Raises

        `MalformedInputError` if they do not.
        """
        if len(heads) > len(line_numbers):
            detail = f"{len(heads)} heads for {len(line_numbers)} words"
            place = line_numbers[0] if line_numbers else None
            raise MalformedInputError(path, place, Fault.ANNOTATION, detail)
        known = [head for head in heads if head is not None]
        if len(known) < len(heads):
            line = line_numbers[heads.index(None)]
            raise MalformedInputError(path, line, Fault.HEAD, "the head is _")
        for position, head in enumerate(known):
            if not isinstance(head, Integral) or not 0 <= head <= len(known):
                detail = f"the head is {quoted(str(head))}, of {len(known)} tokens"
                raise MalformedInputError(path, line_numbers[position], Fault.HEAD, detail)
        cycle = find_cycle(known)
        if cycle:
            chain = " -> ".join(map(str, [*cycle, cycle[0]]))
            raise MalformedInputError(path, line_numbers[cycle[0] - 1], Fault.CYCLE, chain)
        roots = [position for position, head in enumerate(known, 1) if head == 0]
        if len(roots) > 1 and not self.multiple_roots:
            detail = f"the tokens {', '.join(map(str, roots))} have head 0"
            raise MalformedInputError(path, line_numbers[roots[1] - 1], Fault.ROOTS, detail)
        word = find_crossing(known) if self.projective else None
        if word is not None:
            detail = f"another arc crosses that from {known[word - 1]} to {word}"
            raise MalformedInputError(path, line_numbers[word - 1], Fault.NON_PROJECTIVE, detail)
        return known


@dataclass(frozen=True)
class GraphRules:
    """
    Decides which semantic graphs are accepted.

    # Parameters

    deterministic_roles : `Tuple[str, ...]`, optional (default = `()`)
        Roles that a predicate may have at most once.
    """

    deterministic_roles: Tuple[str, ...] = ()

    def check(self, arcs: List[Arc], path: str, line_numbers: Sequence[int]) -> List[Arc]:
        """
        Returns the `arcs`, if they follow the rules; see `TreeRules.check` for the parameters.

        # Raises

        `MalformedInputError` if they do not.
        """
        length = len(line_numbers)
        first: Dict[Tuple[int, str], int] = {}
        for predicate, argument, role in arcs:
            if role in self.deterministic_roles:
                other = first.setdefault((predicate, role), argument)
                if other != argument:
                    detail = f"the tokens {other} and {argument} are both {role} of {predicate}"
                    is_word = argument in range(1, length + 1)
                    line = line_numbers[argument - 1 if is_word else 0] if length else None
                    raise MalformedInputError(path, line, Fault.ROLE_TWICE, detail)
        return arcs


def find_cycle(heads: Sequence[int]) -> List[int]:
    """Returns the positions on a cycle, from word to head; none if every word reaches the root."""
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
    """
    Returns a word, from 1, with an arc that crosses another; `None` if the tree is projective.
    """
    spans = [(min(head, word), max(head, word)) for word, head in enumerate(heads, 1)]
    for word, (left, right) in enumerate(spans, 1):
        if any(left < start < right < end for start, end in spans):
            return word
    return None
