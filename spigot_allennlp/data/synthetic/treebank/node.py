"""A word with its dependents on either side: what the grammar builds trees from."""

from typing import List, Tuple

from spigot_allennlp.data.synthetic.treebank.entries import Word
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree


class Node:
    """
    A head and its dependents, in the order of the sentence. A tree of nodes is projective, as the
    words below a node are written side by side.

    # Parameters

    word : `Word`
    plural : `bool`, optional (default = `False`)
        Whether a verb agrees with it as with a plural.
    """

    __slots__ = ("word", "relation", "left", "right", "plural")

    def __init__(self, word: Word, plural: bool = False) -> None:
        self.word = word
        self.relation = "root"
        self.left: List[Node] = []
        self.right: List[Node] = []
        self.plural = plural

    def related(self, relation: str) -> "Node":
        """The same node, with this relation to its head."""
        self.relation = relation
        return self

    def before(self, node: "Node", relation: str) -> "Node":
        """The same node, with one more dependent on the left, nearer than those that are there."""
        self.left.append(node.related(relation))
        return self

    def after(self, node: "Node", relation: str) -> "Node":
        """The same node, with one more dependent on the right, farther than those there."""
        self.right.append(node.related(relation))
        return self

    def in_front(self, node: "Node", relation: str) -> "Node":
        """The same node, with one more dependent on the left, farther than those there."""
        self.left.insert(0, node.related(relation))
        return self


def linearize(root: Node) -> SyntaxTree:
    """The sentence under `root`, with the head of every token."""
    order: List[Tuple[Node, Node]] = []
    _visit(root, root, order)
    position = {id(node): index for index, (node, _) in enumerate(order, start=1)}
    return SyntaxTree(
        words=tuple(node.word for node, _ in order),
        heads=tuple(0 if node is head else position[id(head)] for node, head in order),
        relations=tuple(node.relation for node, _ in order),
    )


def _visit(node: Node, head: Node, order: List[Tuple[Node, Node]]) -> None:
    for child in node.left:
        _visit(child, node, order)
    order.append((node, head))
    for child in node.right:
        _visit(child, node, order)
