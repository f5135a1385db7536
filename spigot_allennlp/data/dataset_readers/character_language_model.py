"""The reader of plain text, character by character. The label of each character is the next one."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any, Dict, Iterator, Sequence, Tuple

from allennlp.data import DatasetReader, Instance
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.config_checks import PlainConfigurationError, check_least
from spigot_allennlp.data.dataset_readers.data_path import (
    config_errors,
    is_synthetic,
    local_path,
)
from spigot_allennlp.data.dataset_readers.sentence_reader import OpenSequenceLabelField
from spigot_allennlp.data.dataset_readers.sequence_reader import SequenceReader, shared_token
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.source import open_file
from spigot_allennlp.data.synthetic.specification import parse_specification
from spigot_allennlp.data.synthetic.treebank.treebank import generate_sentences

CHARACTERS = "characters"


@DatasetReader.register("character_language_model")
class CharacterLanguageModelReader(SequenceReader):
    """
    Cuts a text into pieces of `length` characters. A shorter remainder at the end is left out. The
    fields are `tokens`, the characters, and `labels`, the character after each. Both use the
    vocabulary namespace "characters". A character that is not in the training text is unknown.

    A data path is any text in UTF-8, plain or compressed, or the sentences of the embedded
    treebank, `"synthetic:size=2000,seed=1"`, one per line. A byte order mark at the start is not
    part of the text.

    Registered as a `DatasetReader` with name "character_language_model".

    # Parameters

    length : `int`, optional (default = `100`)
    part : `Tuple[float, float]`, optional (default = `(0.0, 1.0)`)
        The range of the text to read, in fractions of its characters. This is for a text that is
        used for both training and evaluation.
    num_streams : `int`, optional (default = `1`)
        For an encoder with `"stateful": true`, which continues in each batch where the last one
        ended. The text is cut into this many streams of equal length. Their first pieces are read
        first, then their second pieces, and so on. Give the data loader this number as its
        `batch_size`, and neither `shuffle` nor `num_workers`. In distributed training, each of `n`
        processes has a share of the streams, and the batch size is `num_streams / n`.
    """

    def __init__(
        self,
        length: int = 100,
        part: Tuple[float, float] = (0.0, 1.0),
        num_streams: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_least(1, length=length, num_streams=num_streams)
        if len(part) != 2 or not 0 <= part[0] < part[1] <= 1:
            raise PlainConfigurationError(
                f"part is {list(part)}, but must be two growing shares of the text, as [0, 0.9]."
            )
        self.length = length
        self._part = part
        self.num_streams = num_streams
        self._indexers = {"tokens": SingleIdTokenIndexer(namespace=CHARACTERS)}

    def _generate_all(self, path: str) -> Iterator[Dict[str, Any]]:
        # Sentences of the embedded treebank are cut like the text of a file.
        return self._read_file(path)

    def _read_file(self, path: str) -> Iterator[Dict[str, Any]]:
        text = _text(path)
        begin, end = (int(share * len(text)) for share in self._part)
        text = text[begin:end]
        num_streams = self.num_streams
        pieces = (len(text) - 1) // (self.length * num_streams)  # of a stream
        if pieces < 1:
            wanted = f"a piece of {self.length}"
            if num_streams > 1:
                wanted = f"{num_streams} streams, each of {wanted},"
            raise PlainConfigurationError(
                f"{path} gives {len(text)} characters, too few for {wanted} and one more to follow "
                "it. Give a longer text, or ask for shorter pieces or fewer streams."
            )
        for piece in range(pieces):
            for stream in range(num_streams):
                start = (stream * pieces + piece) * self.length
                yield {"characters": text[start : start + self.length + 1]}

    def text_to_instance(self, characters: Sequence[str]) -> Instance:  # type: ignore[override]
        """
        Returns the instance of a piece.

        # Parameters

        characters : `Sequence[str]`
            The characters of the piece, and the one that follows it.
        """
        tokens = TextField([shared_token(character) for character in characters[:-1]])
        labels = OpenSequenceLabelField(list(characters[1:]), tokens, label_namespace=CHARACTERS)
        return Instance({"tokens": tokens, "labels": labels})

    def apply_token_indexers(self, instance: Instance) -> None:
        instance["tokens"].token_indexers = self._indexers  # type: ignore[attr-defined]


def _text(path: str) -> str:
    if is_synthetic(path):
        with config_errors():
            sentences = generate_sentences(**parse_specification(path)._asdict())
        return "".join(" ".join(w.form for w in s.tree.words) + "\n" for s in sentences)
    with open_file(local_path(path)) as stream:
        content = stream.read()
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        is_utf_16 = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        byte = f"{content[error.start]:02x} as byte {error.start + 1} ({error.reason})"
        detail = f"{byte}; it begins as UTF-16 does" if is_utf_16 else byte
        place = content.count(b"\n", 0, error.start) + 1
        raise MalformedInputError(path, place, Fault.NOT_TEXT, detail) from error
    if "\0" in text:
        before = content.index(b"\0")
        place = content.count(b"\n", 0, before) + 1
        raise MalformedInputError(path, place, Fault.NOT_TEXT, f"00 as byte {before + 1}")
    return text
