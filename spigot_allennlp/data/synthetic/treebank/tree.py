"""Syntactic trees: the nodes that the grammar joins, and the tree of a whole sentence."""

from typing import Iterator, List, NamedTuple, Tuple

from spigot_allennlp.data.synthetic.treebank.lexicon import Word


class Token(NamedTuple):
    """
    A word and its place in a tree.

    # Parameters

    position : `int`
        From 1.
    word : `Word`
    head : `int`
        The position of its head; 0 is the artificial root.
    relation : `str`
    """

    position: int
    word: Word
    head: int
    relation: str


class SyntaxTree(NamedTuple):
    """
    The words of a sentence, each with its head and relation, in the style of the basic Stanford
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

    @property
    def root(self) -> int:
        """The position of the word that is attached to the artificial root."""
        return self.heads.index(0) + 1

    def tokens(self) -> Iterator[Token]:
        """Yields the words, from left to right."""
        columns = zip(self.words, self.heads, self.relations, strict=True)
        for position, (word, head, relation) in enumerate(columns, start=1):
            yield Token(position, word, head, relation)

    def children(self) -> List[List[int]]:
        """Returns the dependents of each position, from the artificial root on, left to right."""
        children: List[List[int]] = [[] for _ in range(len(self.words) + 1)]
        for position, head in enumerate(self.heads, start=1):
            children[head].append(position)
        return children


class Node:
    """
    A word with its dependents, in the order of the sentence. A tree of nodes is projective, since
    the words below a node are contiguous.

    # Parameters

    word : `Word`
    plural : `bool`, optional (default = `False`)
        Whether a verb takes the plural form with it.
    """

    __slots__ = ("word", "relation", "left", "right", "plural")

    def __init__(self, word: Word, plural: bool = False) -> None:
        self.word = word
        self.relation = "root"
        self.left: List[Node] = []
        self.right: List[Node] = []
        self.plural = plural

    def related(self, relation: str) -> "Node":
        """Sets the relation to the head, and returns this node."""
        self.relation = relation
        return self

    def add_left(self, node: "Node", relation: str) -> "Node":
        """Adds a dependent on the left, nearer than all others there, and returns this node."""
        self.left.append(node.related(relation))
        return self

    def add_right(self, node: "Node", relation: str) -> "Node":
        """Adds a dependent on the right, farther than all others there, and returns this node."""
        self.right.append(node.related(relation))
        return self

    def add_leftmost(self, node: "Node", relation: str) -> "Node":
        """Adds a dependent on the left, farther than all others there, and returns this node."""
        self.left.insert(0, node.related(relation))
        return self

    def first_word(self) -> Word:
        """Returns the leftmost word of the phrase below this node."""
        return self.left[0].first_word() if self.left else self.word


def linearize(root: Node) -> SyntaxTree:
    """Returns the tree of the sentence below `root`."""
    nodes: List[Node] = []
    heads: List[Node] = []
    _visit(root, root, nodes, heads)
    position = {id(node): index for index, node in enumerate(nodes, start=1)}
    return SyntaxTree(
        words=tuple(node.word for node in nodes),
        heads=tuple(
            0 if node is head else position[id(head)]
            for node, head in zip(nodes, heads, strict=True)
        ),
        relations=tuple(node.relation for node in nodes),
    )


def _visit(node: Node, head: Node, nodes: List[Node], heads: List[Node]) -> None:
    """Appends the nodes of a phrase, in the order of the sentence, each with its head."""
    for child in node.left:
        _visit(child, node, nodes, heads)
    nodes.append(node)
    heads.append(head)
    for child in node.right:
        _visit(child, node, nodes, heads)
