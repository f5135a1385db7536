"""
The binary tree of a sentence with the sentiment of every phrase, as in the Stanford Sentiment
Treebank.

The phrases follow the syntactic tree: a head first takes in what stands to its right, from near to
far, then what stands to its left. Each phrase is judged by the part of the semantic graph that lies
within it.
"""

from typing import List, NamedTuple, Optional, Tuple

from spigot_allennlp.data.synthetic.graph_index import GraphIndex
from spigot_allennlp.data.synthetic.semantic_graph import SemanticGraph
from spigot_allennlp.data.synthetic.sentiment import STRONGEST, Judge
from spigot_allennlp.data.synthetic.tree import SyntaxTree
