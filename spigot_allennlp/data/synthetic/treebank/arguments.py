"""
Who is the subject, and what the object, of each predicate of a syntactic tree.

This is where the tree decides: relative clauses find the noun that they are about, infinitives and
participles the subject that controls them, coordinated verbs what they share.
"""

from typing import List

from spigot_allennlp.data.synthetic.treebank.entries import Word
from spigot_allennlp.data.synthetic.treebank.lexicon import look_up
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree

#: The kinds of verb that have an object.
TRANSITIVE = frozenset(("evaluation", "stimulus", "effect", "property", "action", "transfer"))
#: The kinds of verb that have an object and a clause.
OBJECT_AND_CLAUSE = frozenset(("promise", "persuade"))
_SUBJECTS = ("nsubj", "nsubjpass")
_AUXILIARIES = ("aux", "auxpass", "cop")


class Arguments:
    """
    The arguments in one tree. Positions count from 1; 0 stands for "none".

    # Parameters

    tree : `SyntaxTree`
    """

    def __init__(self, tree: SyntaxTree) -> None:
        #: With the artificial root in front, so that positions are indices.
        self.words = (Word("", "", "ROOT"),) + tree.words
        self.heads = (0,) + tree.heads
        self.relations = ("",) + tree.relations
        self.children = tree.children()

    def child(self, position: int, *relations: str) -> int:
        """The first dependent with one of these relations."""
        for child in self.children[position]:
            if self.relations[child] in relations:
                return child
        return 0

    def children_by(self, position: int, *relations: str) -> List[int]:
        """The dependents with one of these relations, from left to right."""
        return [child for child in self.children[position] if self.relations[child] in relations]

    def kind(self, position: int) -> str:
        """The kind that the lexicon gives the word, or nothing."""
        entry = look_up(self.words[position])
        return entry.kind if entry else ""

    def event(self, position: int) -> int:
        """The word that stands for what a clause says: a predicate noun's copula, else its head."""
        copula = self.child(position, "cop")
        return copula if copula and self.words[position].pos[0] == "N" else position

    def is_passive(self, verb: int) -> bool:
        """Whether a participle is passive, be it by an auxiliary that it shares."""
        if self.words[verb].pos != "VBN":
            return False
        if self.child(verb, "auxpass") or self.relations[verb] == "vmod":
            return True
        return self.shares_auxiliaries(verb) and self.is_passive(self.heads[verb])

    def shares_auxiliaries(self, conjunct: int) -> bool:
        """Whether a conjunct stands under the auxiliaries, and the negation, of the first."""
        if self.relations[conjunct] != "conj" or self.child(conjunct, *_AUXILIARIES, *_SUBJECTS):
            return False
        return self.words[conjunct].pos in ("VB", "VBN", "JJ")

    def subject(self, predicate: int) -> int:
        """The subject on the surface: of a passive it is what the act is done to."""
        own = self.child(predicate, *_SUBJECTS)
        if own:
            return self.antecedent(predicate) if self.is_relativiser(own) else own
        relation, head = self.relations[predicate], self.heads[predicate]
        if relation == "vmod":
            return head
        if relation == "ccomp":
            return self.antecedent(head)
        if relation == "xcomp":
            return self._controller(head)
        return self.subject(head) if relation in ("conj", "advcl") else 0

    def object(self, predicate: int) -> int:
        """The direct object, be it shared with a conjunct, or understood in a relative clause."""
        own = self.child(predicate, "dobj")
        if own:
            return self.antecedent(predicate) if self.is_relativiser(own) else own
        if self.is_passive(predicate) or self.kind(predicate) not in TRANSITIVE | OBJECT_AND_CLAUSE:
            return 0
        head = self.heads[predicate]
        if self.relations[predicate] == "conj" and self.kind(predicate) in TRANSITIVE:
            shared = self.child(head, "dobj")
            if shared > predicate:
                return shared
        return self.antecedent(predicate)

    def antecedent(self, predicate: int) -> int:
        """The noun whose relative clause this predicate heads, or is a complement within."""
        while self.relations[predicate] in ("ccomp", "xcomp"):
            predicate = self.heads[predicate]
        return self.heads[predicate] if self.relations[predicate] == "rcmod" else 0

    def is_relativiser(self, position: int) -> bool:
        """Whether this is the "who", "whom", "which" or "that" of a relative clause."""
        return self.words[position].pos in ("WP", "WDT")

    def _controller(self, verb: int) -> int:
        """The subject of the infinitive that is a complement of this verb."""
        if self.kind(verb) == "persuade" and not self.is_passive(verb):
            return self.object(verb)
        return self.subject(verb)
