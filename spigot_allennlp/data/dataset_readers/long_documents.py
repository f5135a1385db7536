"""The reader of long documents in which only the first sentence carries the sentiment."""

import random
from dataclasses import replace
from itertools import chain
from typing import Any, Iterator, List, Optional, Sequence

from allennlp.data import DatasetReader

from spigot_allennlp.config_checks import check_least
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.data_path import DataPath, name_of
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceResult
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.sentiment import CLASSES, GRADES

_SEED = 1


@DatasetReader.register("long_documents")
class LongDocumentReader(SstReader):
    """
    Makes a document from each sentence that is not neutral: it begins with the sentence, has its
    label, and continues with randomly drawn neutral sentences of the same file. It is cut at
    `length`. So the decisive words are as far from the end as possible, and a classifier that reads
    from left to right has to remember them.

    A file always gives the same documents. See `SstReader` for the files and other parameters, and
    `SentenceReader` for data paths.

    Registered as a `DatasetReader` with name "long_documents".

    # Parameters

    length : `int`, optional (default = `300`)
        The number of words in a document. If the first sentence is longer, the document is just
        that sentence.
    granularity : `str`, optional (default = `"2-class"`)
        See `SstReader`.
    file_granularity : `str`, optional (default = `"5-class"`)
        See `SstReader`. With two classes, there would be no neutral sentences.
    """

    def __init__(
        self,
        length: int = 300,
        granularity: str = "2-class",
        file_granularity: str = "5-class",
        **kwargs: Any,
    ) -> None:
        super().__init__(granularity=granularity, file_granularity=file_granularity, **kwargs)
        check_least(1, length=length)
        self._length = length
        self._neutral = CLASSES[granularity][GRADES.index("neutral")]

    def _sentences(self, path: DataPath) -> Iterator[SentenceResult]:
        """
        # Raises

        `MalformedInputError` if the file has sentences to start with, but none to continue with.
        """
        first: List[AnnotatedSentence] = []
        neutral: List[AnnotatedSentence] = []
        for sentence in self._scan(path):
            if isinstance(sentence, MalformedInputError):
                yield sentence
            else:
                (neutral if sentence.label == self._neutral else first).append(sentence)
        if first and not neutral:
            detail = f"{len(first)} sentences, all of another sentiment"
            raise MalformedInputError(name_of(path), None, Fault.NO_NEUTRAL_SENTENCE, detail)
        for number, sentence in enumerate(first):
            sentences = [sentence]
            words = len(sentence.words)
            draw = random.Random(f"{_SEED}, {number}")
            while words < self._length:
                sentences.append(draw.choice(neutral))
                words += len(sentences[-1].words)
            yield self._document(sentences)

    def _document(self, sentences: Sequence[AnnotatedSentence]) -> AnnotatedSentence:
        length = max(self._length, len(sentences[0].words))

        def joined(layers: Sequence[Optional[List[str]]]) -> Optional[List[str]]:
            present = [layer for layer in layers if layer is not None]
            return list(chain(*present))[:length] if len(present) == len(layers) else None

        words = joined([sentence.words for sentence in sentences])
        assert words is not None
        return replace(
            sentences[0],
            words=words,
            lemmas=joined([sentence.lemmas for sentence in sentences]),
            pos=joined([sentence.pos for sentence in sentences]),
        )
