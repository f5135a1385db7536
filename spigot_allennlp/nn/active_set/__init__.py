"""Projections onto polytopes of which only an argmax is known."""
