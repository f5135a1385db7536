"""A sentence with its sentiment, and the classes that the five grades of sentiment are put into."""

from dataclasses import dataclass
from typing import Dict, List, Optional

# From 0 to 4, the labels of the Stanford Sentiment Treebank.
GRADES = ("very negative", "negative", "neutral", "positive", "very positive")

# The class of each grade; None is left out, as is usual with the Stanford Sentiment Treebank.
CLASSES = {
    "2-class": ("0", "0", None, "1", "1"),
    "3-class": ("0", "0", "1", "2", "2"),
    "5-class": ("0", "1", "2", "3", "4"),
}

# The grades that the labels 0, 1, ... of a file mean.
_GRADES_OF_FILE = {"2-class": (1, 3), "3-class": (1, 2, 3), "5-class": (0, 1, 2, 3, 4)}


@dataclass
class SentimentSentence:
    """
    # Parameters

    words : `List[str]`
    label : `str`, optional
        The class; `None` for a sentence that has none, such as a neutral one of two classes.
    lemmas : `List[str]`, optional
    pos : `List[str]`, optional
        Parts of speech.
    identifier : `str`, optional
        The name of the sentence.
    source : `str`, optional
        `file:line` of its first word.
    """

    words: List[str]
    label: Optional[str] = None
    lemmas: Optional[List[str]] = None
    pos: Optional[List[str]] = None
    identifier: Optional[str] = None
    source: Optional[str] = None


def classes_of_labels(granularity: str, of_file: str = "5-class") -> Dict[str, Optional[str]]:
    """
    What becomes of each label that a file may have: a number from 0, or a name of `GRADES`.

    # Parameters

    granularity : `str`
        The classes that are wanted: `"2-class"`, `"3-class"` or `"5-class"`.
    of_file : `str`, optional (default = `"5-class"`)
        The classes that the numbers of the file count, from the most negative on.

    # Returns

    `Dict[str, Optional[str]]`
        The class of each label, `None` for one that is to be left out.

    # Raises

    `ValueError` if the file has fewer classes than are wanted.
    """
    grades = _GRADES_OF_FILE[of_file]
    if len(grades) < len(_GRADES_OF_FILE[granularity]):
        raise ValueError(f"a file of {of_file} labels cannot tell the classes of {granularity}")
    classes = CLASSES[granularity]
    by_number = {str(number): classes[grade] for number, grade in enumerate(grades)}
    return {**by_number, **dict(zip(GRADES, classes, strict=True))}
