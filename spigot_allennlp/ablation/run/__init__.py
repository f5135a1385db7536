"""Trains and tests the runs of a plan in this process, in separate processes, or on a cluster."""
