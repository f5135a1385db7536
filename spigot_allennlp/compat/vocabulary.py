"""
How often each word was seen, kept with the vocabulary's files.
"""

import functools
import json
import os
from typing import Any, Dict, Iterator

from spigot_allennlp.compat.mending import mends

COUNTS = ".counts.json"  # hidden: every other file of the folder is a namespace


@mends(
    "allennlp.data.vocabulary",
    since="AllenNLP 2.10.1 itself: read from files, as the workers of a distributed run read it, a "
    "vocabulary has lost the counts that word dropout needs",
    until="AllenNLP saves the counts that it collects",
)
def vocabulary_keeps_its_counts(module: Any) -> Iterator[None]:
    yield
    save, load = module.Vocabulary.save_to_files, module.Vocabulary.from_files.__func__

    @functools.wraps(save)
    def save_to_files(self: Any, directory: str) -> None:
        save(self, directory)
        if self._retained_counter:
            with open(os.path.join(directory, COUNTS), "w", encoding="utf-8") as file:
                json.dump(self._retained_counter, file)

    @functools.wraps(load)
    def from_files(cls: Any, directory: Any, *options: Any, **named_options: Any) -> Any:
        vocabulary = load(cls, directory, *options, **named_options)
        folder = directory
        if not os.path.isdir(directory):
            folder = module.cached_path(directory, extract_archive=True)
        for place in (folder, os.path.join(folder, "vocabulary")):
            path = os.path.join(place, COUNTS)
            if not vocabulary._retained_counter and os.path.exists(path):
                vocabulary._retained_counter = counts_in(path)
        return vocabulary

    module.Vocabulary.save_to_files = save_to_files
    module.Vocabulary.from_files = classmethod(from_files)


def counts_in(path: str) -> Dict[str, Dict[str, int]]:
    """
    How often each entry of each namespace was seen.

    # Raises

    `ConfigurationError`
        If that is not what is in the file.
    """
    from allennlp.common.checks import ConfigurationError

    try:
        with open(path, encoding="utf-8") as file:
            counts = json.load(file)
        if all(count >= 0 for entries in counts.values() for count in entries.values()):
            return counts
        reason = "a count is below 0"
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = str(error)[:200]
    raise ConfigurationError(
        f"{path} should have the counts of the vocabulary's entries, but {reason}. Without the "
        "file the vocabulary can be read, but word dropout has no counts to go by."
    )
