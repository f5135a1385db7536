"""The reader of the Stanford Sentiment Treebank, and of other sentences with sentiment."""

from dataclasses import replace
from typing import Iterator, List, Optional

from allennlp.data import DatasetReader, Instance

from spigot_allennlp.config_checks import PlainConfigurationError, check_choice
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.data_path import DataPath, is_synthetic, text_source
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceReader, SentenceResult
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.formats.sentiment import (
    CLASSES,
    SENTIMENT_LAYOUTS,
    classes_of_labels,
    find_sentiment_layout,
    scan_sentiment_columns,
    scan_sentiment_lines,
)
from spigot_allennlp.data.formats.sst import scan_sst, unescape

# The format for the embedded treebank, by layout.
EMBEDDED_FORMATS = {"trees": "sst", "columns": "sst_columns", "lines": "sst_lines"}


@DatasetReader.register("sst")
class SstReader(SentenceReader):
    """
    Reads sentences with sentiment: the trees of the Stanford Sentiment Treebank, the columns of the
    code of [Peng et al. (2018)](https://aclanthology.org/P18-1173) (`id form lemma pos label`), or
    lines of `label text`. See `SentenceReader` for data paths and further parameters.

    A label is the number of its class, from "0", the most negative, in the namespace `labels`. In
    columns and lines it may also be one of the names `very negative`, `negative`, `neutral`,
    `positive` and `very positive`.

    Registered as a `DatasetReader` with name "sst".

    # Parameters

    granularity : `str`, optional (default = `"5-class"`)
        With `"5-class"`, labels are "0" (very negative) to "4" (very positive); with `"3-class"`,
        "0", "1" (neutral) and "2"; with `"2-class"`, "0" and "1", and neutral sentences are left
        out.
    phrases : `bool`, optional (default = `False`)
        Whether each phrase of a tree, down to the words, is an instance, not only the sentence.
        Usually for training only.
    layout : `str`, optional (default = `"auto"`)
        The format of the files: `"trees"`, `"columns"`, `"lines"`, or `"auto"`, to infer it from
        the content of each.
    file_granularity : `str`, optional (default = that of `granularity`)
        The granularity of the numbers in files with columns or lines. Trees and the embedded data
        set always have `"5-class"`.
    unescape : `bool`, optional (default = `False`)
        Whether to undo the escapes of the treebank, and read `-LRB-` as `(`, like most word vectors
        and other treebanks; see `formats.sst.unescape`.
    """

    def __init__(
        self,
        granularity: str = "5-class",
        phrases: bool = False,
        layout: str = "auto",
        file_granularity: Optional[str] = None,
        unescape: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        file_granularity = file_granularity or granularity
        check_choice("granularity", granularity, tuple(CLASSES))
        check_choice("file_granularity", file_granularity, tuple(CLASSES))
        check_choice("layout", layout, ("auto", *SENTIMENT_LAYOUTS))
        try:
            self._classes_of_file = classes_of_labels(granularity, file_granularity)
        except ValueError as error:
            raise PlainConfigurationError(f"{error}. Ask for a coarser granularity.") from error
        self._classes = classes_of_labels(granularity)
        self._phrases = phrases
        self._layout = layout
        self._unescape = unescape

    def _sentences(self, path: DataPath) -> Iterator[SentenceResult]:
        for sentence in self._scan(path):
            if isinstance(sentence, MalformedInputError) or sentence.label is not None:
                yield sentence

    def _scan(self, path: DataPath) -> Iterator[SentenceResult]:
        """Yields the sentences of a file. Those without a class have the label `None`."""
        for sentence in self._scan_layout(path):
            if self._unescape and not isinstance(sentence, MalformedInputError):
                sentence = _unescaped(sentence)
            yield sentence

    def _scan_layout(self, path: DataPath) -> Iterator[SentenceResult]:
        layout = "trees" if self._layout == "auto" else self._layout
        source = text_source(path, EMBEDDED_FORMATS[layout])
        if self._layout == "auto" and not is_synthetic(path):
            layout = find_sentiment_layout(source)
        if layout == "trees":
            return scan_sst(source, self._classes, self._phrases)
        if self._phrases:
            raise PlainConfigurationError(
                f'{source.name} is in the layout "{layout}", which knows no phrases. Leave '
                '"phrases" out, or give a file of trees.'
            )
        classes = self._classes if is_synthetic(path) else self._classes_of_file
        scan = scan_sentiment_columns if layout == "columns" else scan_sentiment_lines
        return scan(source, classes)

    def text_to_instance(  # type: ignore[override]
        self,
        words: List[str],
        lemmas: Optional[List[str]] = None,
        pos: Optional[List[str]] = None,
        label: Optional[str] = None,
        identifier: Optional[str] = None,
        source: Optional[str] = None,
    ) -> Instance:
        """
        Returns the instance of a sentence. See `AnnotatedSentence` for the parameters, and
        `sentence_to_instance` for the fields.

        # Raises

        `ConfigurationError` if there are no words, if `lemmas` or `pos` do not have one entry per
        word, or if the label is invalid.
        """
        if label is not None:
            check_choice("label", label, sorted({*filter(None, self._classes.values())}))
        return self.sentence_to_instance(
            AnnotatedSentence(words, lemmas, pos, identifier=identifier, source=source, label=label)
        )


def _unescaped(sentence: AnnotatedSentence) -> AnnotatedSentence:
    words = [unescape(word) for word in sentence.words]
    lemmas = sentence.lemmas and [unescape(lemma) for lemma in sentence.lemmas]
    return replace(sentence, words=words, lemmas=lemmas)
