"""
The subject and the object of each predicate of a syntactic tree.

This is where the tree decides what a sentence means: relative clauses find the noun that they are
about, infinitives and participles the subject that controls them, coordinated verbs what they
share.
"""

from typing import List

from spigot_allennlp.data.synthetic.treebank.lexicon import Word, look_up
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree

# The kinds of verb that have an object, and those that have an object and a clause.
_TRANSITIVE = frozenset(("evaluation", "stimulus", "effect", "property", "action", "transfer"))
_OBJECT_AND_CLAUSE = frozenset(("promise", "persuade"))
_SUBJECTS = ("nsubj", "nsubjpass")
_AUXILIARIES = ("aux", "auxpass", "cop")


class Arguments:
    """
    Finds the arguments in a tree. Positions count from 1; 0 stands for "none".

    # Parameters

    tree : `SyntaxTree`
    """

    def __init__(self, tree: SyntaxTree) -> None:
        #: With the artificial root in front, so that positions are indices.
        self.words = (Word("", "", "ROOT"),) + tree.words
        self.heads = (0,) + tree.heads
        self.relations = ("",) + tree.relations
        self.children = tree.children()

    def subject(self, predicate: int) -> int:
        """Returns the subject on the surface: of a passive, what the act is done to."""
        subject = self.child(predicate, *_SUBJECTS)
        if subject:
            return self._antecedent(predicate) if self._is_relative(subject) else subject
        relation, head = self.relations[predicate], self.heads[predicate]
        if relation == "vmod":
            return head
        if relation == "ccomp":
            return self._antecedent(head)
        if relation == "xcomp":
            return self._controller(head)
        return self.subject(head) if relation in ("conj", "advcl") else 0

    def object(self, predicate: int) -> int:
        """Returns the direct object, also if it is shared with a conjunct, or understood in a
        relative clause."""
        direct = self.child(predicate, "dobj")
        if direct:
            return self._antecedent(predicate) if self._is_relative(direct) else direct
        kind = self.kind(predicate)
        if self.is_passive(predicate) or kind not in _TRANSITIVE | _OBJECT_AND_CLAUSE:
            return 0
        head = self.heads[predicate]
        if self.relations[predicate] == "conj" and kind in _TRANSITIVE:
            shared = self.child(head, "dobj")
            if shared > predicate:
                return shared
        return self._antecedent(predicate)

    def event(self, position: int) -> int:
        """Returns the word that stands for what a clause says: the copula of a predicate noun, of
        anything else its head."""
        copula = self.child(position, "cop")
        return copula if copula and self.words[position].pos[0] == "N" else position

    def is_passive(self, verb: int) -> bool:
        """Returns whether a participle is passive, also by an auxiliary that it shares."""
        if self.words[verb].pos != "VBN":
            return False
        if self.child(verb, "auxpass") or self.relations[verb] == "vmod":
            return True
        return self.shares_auxiliaries(verb) and self.is_passive(self.heads[verb])

    def shares_auxiliaries(self, conjunct: int) -> bool:
        """Returns whether a conjunct shares the auxiliaries, and the negation, of the first."""
        if self.relations[conjunct] != "conj" or self.child(conjunct, *_AUXILIARIES, *_SUBJECTS):
            return False
        return self.words[conjunct].pos in ("VB", "VBN", "JJ")

    def kind(self, position: int) -> str:
        """Returns the kind of a word by the lexicon, or an empty text."""
        entry = look_up(self.words[position])
        return entry.kind if entry else ""

    def child(self, position: int, *relations: str) -> int:
        """Returns the first dependent with one of these relations."""
        for child in self.children[position]:
            if self.relations[child] in relations:
                return child
        return 0

    def children_by(self, position: int, *relations: str) -> List[int]:
        """Returns the dependents with one of these relations, from left to right."""
        return [child for child in self.children[position] if self.relations[child] in relations]

    def _antecedent(self, predicate: int) -> int:
        """Returns the noun whose relative clause this predicate heads, or is a complement in."""
        while self.relations[predicate] in ("ccomp", "xcomp"):
            predicate = self.heads[predicate]
        return self.heads[predicate] if self.relations[predicate] == "rcmod" else 0

    def _is_relative(self, position: int) -> bool:
        """Returns whether this is the "who", "whom", "which" or "that" of a relative clause."""
        return self.words[position].pos in ("WP", "WDT")

    def _controller(self, verb: int) -> int:
        """Returns the subject of the infinitive that is a complement of this verb."""
        if self.kind(verb) == "persuade" and not self.is_passive(verb):
            return self.object(verb)
        return self.subject(verb)
