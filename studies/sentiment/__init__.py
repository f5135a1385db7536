"""
Does a gradient through a predicted semantic graph help to classify sentences by sentiment?

`python -m studies.sentiment prepare SST TREEBANK` takes parts of the Stanford Sentiment Treebank
and trains the parser inside; `tune`, `compare` and `tables` are those of `studies/trial.py`.
"""
