"""The peers, a file for each, in which alone the conventions of its library occur."""
