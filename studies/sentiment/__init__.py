"""
Does a gradient through a predicted semantic graph help sentiment classification?

`python -m studies.sentiment prepare SST TREEBANK` takes parts of the Stanford Sentiment Treebank
and trains the inner parser. `tune`, `compare` and `tables` are described in `studies/trial.py`.
"""
