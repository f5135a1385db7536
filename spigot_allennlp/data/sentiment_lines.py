"""
Sentiment in one line a sentence: `label text`, parted by a tab, the words by spaces.

A line may hold a no-break space within a word, as some fractions of the Stanford Sentiment Treebank
do; only spaces part words.
"""

from typing import Iterator, Mapping, Optional, Union

from spigot_allennlp.data.errors import Fault, MalformedInputError, attempt
from spigot_allennlp.data.numbered_lines import Line
from spigot_allennlp.data.sentence_lines import sentence_lines
from spigot_allennlp.data.sentiment_sentence import SentimentSentence


def scan_sentiment_lines(
    path: str, classes: Mapping[str, Optional[str]]
) -> Iterator[Union[SentimentSentence, MalformedInputError]]:
    """
    The sentences of a file, with an error in the place of each that cannot be read. `classes` gives
    the class of each label that there may be, as `classes_of_labels` does.
    """
    for line in sentence_lines(path, "sst_lines"):
        yield attempt(_sentence, line, path, classes)


def _sentence(line: Line, path: str, classes: Mapping[str, Optional[str]]) -> SentimentSentence:
    cells = line.text.split("\t")
    if len(cells) != 2:
        detail = f"{len(cells)} columns, where each line has two: label text"
        raise MalformedInputError(path, line.number, Fault.COLUMN_COUNT, detail)
    label, text = cells
    if label.lower() not in classes:
        detail = f"the label {label!r} is not one of {', '.join(classes)}"
        raise MalformedInputError(path, line.number, Fault.LABEL, detail)
    words = [word for word in text.split(" ") if word]
    if not words:
        raise MalformedInputError(path, line.number, Fault.NO_WORDS, "nothing after the label")
    return SentimentSentence(words, classes[label.lower()], source=f"{path}:{line.number}")
