"""
Trains many variants of one experiment with many seeds, resumes them, compares them, and writes the
report.
"""
