"""Recurrences that read their own past, and learn through what they read alone."""
