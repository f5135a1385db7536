"""
Ours against the libraries that do the same: how long, how much memory, and whether it is right.

Run as `python -m benchmarks`; `make bench` makes the environment first. Every operation is an
`Operation`, every library a `Library` with a method for each operation that it offers. A library
tries each cell, an operation at a size, in a process of its own (`trial`), and those that did not
fail race each other in one process (`measurement`). Whole parsers train and parse beside each other
in `end_to_end` and `scaling`. `python -m benchmarks.regression` compares a commit with the working
tree.
"""
