"""From a word as it stands in a sentence back to what the lexicon knows of it."""

from typing import Dict, Optional, Tuple

from spigot_allennlp.data.synthetic.treebank.entries import Entry, Word
from spigot_allennlp.data.synthetic.treebank.modifiers import (
    ADVERBS,
    JUDGING_ADJECTIVES,
    NEUTRAL_ADJECTIVES,
)
from spigot_allennlp.data.synthetic.treebank.nouns import NOUNS
from spigot_allennlp.data.synthetic.treebank.verbs import BE, VERBS

_LEXICON: Dict[Tuple[str, str], Entry] = {("V", "be"): BE}
for _category, _tables in (
    ("N", NOUNS),
    ("V", VERBS),
    ("J", NEUTRAL_ADJECTIVES),
    ("J", JUDGING_ADJECTIVES),
    ("R", ADVERBS),
):
    for _choices in _tables.values():
        _LEXICON.update({(_category, entry.lemma): entry for entry in _choices.items})


def look_up(word: Word) -> Optional[Entry]:
    """The entry of an open-class word; None for function words, names and coined words."""
    return _LEXICON.get((word.pos[0], word.lemma))
