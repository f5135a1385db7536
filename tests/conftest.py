"""Registers everything that the tests' configs name."""

import spigot_allennlp  # noqa: F401
