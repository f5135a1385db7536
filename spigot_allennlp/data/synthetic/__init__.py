"""
Data sets that are sampled instead of read, so that everything runs without a file: a treebank, and
images, recordings of events, speech and points in clusters.
"""
