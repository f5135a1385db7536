r"""
What the Penn Treebank writes for signs that mean something in its files.

The Stanford Sentiment Treebank has `-LRB-`, `-RRB-`, `\/` and `\*`, where most word vectors, and
treebanks such as those of SDP, have the signs themselves.
"""

import re

ESCAPES = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "\\/": "/",
    "\\*": "*",
}
_ESCAPE = re.compile("|".join(map(re.escape, ESCAPES)))


def unescape(word: str) -> str:
    """The word as it is in the text, also where an escape is only a part of it."""
    return _ESCAPE.sub(lambda match: ESCAPES[match.group()], word)
