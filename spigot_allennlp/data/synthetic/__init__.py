"""
Data sets that are sampled, not read, so that everything runs without files: a treebank, and digits
as images, as recordings of events and as speech. Data that only one reader samples is in the file
of that reader.
"""
