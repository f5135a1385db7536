"""Which tokens are punctuation: the convention of the CoNLL shared tasks."""

import unicodedata


def is_punctuation(form: str) -> bool:
    r"""
    Whether every character of `form`, and there is one, has the Unicode general category
    Punctuation: Pc, Pd, Ps, Pe, Pi, Pf or Po.

    That is the test of `eval.pl`, the scorer of the CoNLL-X shared task (Buchholz and Marsi, 2006),
    which matches a form against `^\p{Punctuation}+$`. Symbols (S*: `$`, `+`, also the backquote)
    are not punctuation, nor are the bracket codes of the Penn Treebank (`-LRB-`).
    """
    return bool(form) and all(unicodedata.category(character).startswith("P") for character in form)
