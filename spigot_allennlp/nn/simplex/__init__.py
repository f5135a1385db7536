"""Projections onto the simplex, and their derivatives."""
