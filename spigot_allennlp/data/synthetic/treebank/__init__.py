"""
The synthetic treebank: a lexicon, a grammar that samples syntactic trees, the semantic graph of a
tree, the sentiment of a graph, and the writing of all three. `treebank.py` puts them together.
"""
