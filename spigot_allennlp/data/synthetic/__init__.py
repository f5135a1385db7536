"""
The parts of the embedded treebank: a lexicon, a grammar that draws trees, the graph of a tree, the
sentiment of a graph, and the writing of all three. `data/synthetic_treebank.py` puts them together.
"""
