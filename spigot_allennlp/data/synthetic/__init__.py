"""
Data sets that are sampled instead of read, so that everything runs without a file: a treebank, and
digits as images, as recordings of events and as speech. Data that a single reader samples is in the
file of that reader.
"""
