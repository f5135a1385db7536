"""
The synthetic treebank. To read it, begin with `treebank.py`: it samples sentences, and writes them
in the text formats. A sentence is made in three steps:

1. `grammar.py` expands symbols by the productions of `clauses.py`, `verb_phrases.py` and
   `noun_phrases.py`, with words of `lexicon.py` and `function_words.py`; `predicate.py` inflects
   verbs, `sampling.py` makes the random choices, and `tree.py` holds the syntactic tree.
2. `semantic_graph.py` makes the graph of the tree.
3. `sentiment.py` computes the sentiment of the graph.
"""
