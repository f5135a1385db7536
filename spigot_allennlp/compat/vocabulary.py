"""
How often each word was seen, kept with the vocabulary's files.
"""

import functools
import json
import os
from typing import Any, Iterator

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
                with open(path, encoding="utf-8") as file:
                    vocabulary._retained_counter = json.load(file)
        return vocabulary

    module.Vocabulary.save_to_files = save_to_files
    module.Vocabulary.from_files = classmethod(from_files)
