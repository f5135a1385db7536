"""Trains and tests the runs of a plan, here, in processes of their own or on a cluster."""
