"""
Does a gradient through a predicted syntactic tree help a semantic parser?

`python -m studies.trees` prepares parts of a treebank with trees and graphs, tunes each way of
training on the development part, compares the tuned ones on held-out sentences over many seeds, and
collects the scores: see `studies/trial.py`. `regimes` defines how many trees and graphs there are
to learn from, `arms` how the two parsers are trained.
"""
