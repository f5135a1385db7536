"""
The synthetic treebank. To read the code, start with `treebank.py`, which samples sentences and
writes them in the text formats. A sentence is made in three steps:

1. `grammar.py` expands symbols with the productions in `clauses.py`, `verb_phrases.py` and
   `noun_phrases.py`, and words from `lexicon.py` and `function_words.py`; `predicate.py` inflects
   verbs, `sampling.py` makes the random choices, and `tree.py` holds the syntactic tree.
2. `semantic_graph.py` derives the graph from the tree.
3. `sentiment.py` computes the sentiment from the graph.
"""
