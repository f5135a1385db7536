"""
What holds for every reader of a text, because it is registered: whatever the bytes, the outcome is
the data, or one error that names file, place and reason, or under skip a counted loss.
"""

import logging
import lzma
from typing import Callable, Dict, List, NamedTuple

import pytest
from allennlp.data import DatasetReader

from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceReader
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.dataset_readers.synthetic_treebank import SyntheticTreebankReader
from spigot_allennlp.data.errors import MalformedInputError

LONGEST_MESSAGE = 4000


class Sample(NamedTuple):
    """A small file, and the options with which its reader takes all that is in it."""

    reader: str
    options: dict
    text: str


SAMPLES = {
    "sdp 2015": Sample(
        "sdp",
        {},
        "#SDP 2015\n#a\n1\tDogs\tdog\tNNS\t-\t-\t_\tARG1\n2\tb\u00e9\tbe\tVBP\t+\t+\tbe_v\t_\n\n"
        "#b\n1\tYes\tyes\tUH\t+\t-\t_\n\n#c\n1\tGo\tgo\tVB\t+\t+\tgo_v\t_\n2\ton\ton\tRP\t-\t-\t_\tARG2\n\n",
    ),
    "sdp 2014": Sample(
        "sdp",
        {},
        "1\tDogs\tdog\tNNS\t-\t-\tARG1\n2\tbark\tbe\tVBP\t+\t+\t_\n\n1\tYes\tyes\tUH\t+\t-\n\n"
        "1\tGo\tgo\tVB\t+\t+\t_\n2\ton\ton\tRP\t-\t-\tARG2\n\n",
    ),
    "sdp augmented": Sample(
        "sdp",
        {},
        "1\tDogs\tdog\tNNS\t2\tsb\t-\t-\t_\tARG1\n2\tbe\tbe\tVBP\t0\troot\t+\t+\tbe_v\t_\n\n"
        "1\tYes\tyes\tUH\t0\troot\t+\t-\t_\n\n",
    ),
    "conll": Sample(
        "conll",
        {},
        "# sent_id = a\n1\tDogs\tdog\tN\tNNS\t_\t2\tnsubj\t_\t_\n"
        "2\tbark\tb\u00e9\tV\tVBP\t_\t0\troot\t_\t_\n\n"
        "# sent_id = b\n1\tYes\tyes\tUH\tUH\t_\t0\troot\t_\t_\n\n",
    ),
    "conllu": Sample(
        "conll",
        {"enhanced_graph": True},
        "1-2\tVamonos\t_\t_\t_\t_\t_\t_\t_\t_\n1\tVamos\tir\tV\t_\t_\t0\troot\t0:root\t_\n"
        "2\tnos\tnos\tP\t_\t_\t1\tobj\t2.1:obj\t_\n2.1\te\te\tV\t_\t_\t_\t_\t1:conj\t_\n\n"
        "1\tS\u00ed\ts\u00ed\tUH\t_\t_\t0\troot\t_\t_\n\n",
    ),
    "trees": Sample(
        "sst", {}, "(3 (2 It) (3 (3 works) (2 .)))\n(2 (2 So))\n(0 (1 N\u00e9) (0 !))\n"
    ),
    "columns": Sample(
        "sst",
        {"layout": "columns"},
        "1\tIt\tit\tP\t3\n2\tworks\twork\tV\t3\n\n1\tN\u00e9\tn\u00e9\tA\t0\n\n1\tSo\tso\tR\t_\n2\t.\t.\t.\t2\n\n",
    ),
    "lines": Sample("sst", {"layout": "lines"}, "3\tIt works .\nneutral\tSo\n0\tN\u00e9 fails\n"),
}
NAMES = list(SAMPLES)


def contents(instances) -> List[str]:
    """All that is in instances, but for the path of their file."""
    texts = []
    for instance in instances:
        metadata = {**instance["metadata"].metadata, "source": None}
        labels = {
            name: (getattr(field, "indices", None), getattr(field, "labels", None))
            for name, field in instance.fields.items()
        }
        label = instance.fields.get("label")
        texts.append(repr((metadata, labels, label and label.label)))
    return texts


def read(path, name: str, on_error: str) -> List[str]:
    sample = SAMPLES[name]
    reader = DatasetReader.by_name(sample.reader)(on_error=on_error, **sample.options)
    return contents(reader.read(str(path)))


def outcome(path, name: str, content: bytes, on_error: str, caplog):
    """What is read, or the error; and the warnings."""
    path.write_bytes(content)
    caplog.clear()
    try:
        result = read(path, name, on_error)
    except MalformedInputError as error:
        assert str(error).startswith(str(path))
        assert len(str(error)) < LONGEST_MESSAGE
        result = error
    return result, [record.getMessage() for record in caplog.records]


def test_every_registered_reader_of_a_text_is_met_here():
    registered = {
        name
        for name in DatasetReader.list_available()
        if issubclass(DatasetReader.by_name(name), SentenceReader)
    }
    # The first has no file, and the second reads its sentences by the methods of "sst".
    own = {"synthetic_treebank", "long_documents"}
    assert DatasetReader.by_name("synthetic_treebank") is SyntheticTreebankReader
    assert issubclass(DatasetReader.by_name("long_documents"), SstReader)
    assert registered - own == {sample.reader for sample in SAMPLES.values()}


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("name", NAMES)
def test_a_cut_file_is_never_shorter_without_a_word(tmp_path, name, on_error, caplog):
    content = SAMPLES[name].text.encode()
    path = tmp_path / "file"
    whole, warnings = outcome(path, name, content, on_error, caplog)
    assert len(whole) >= 2 and not warnings
    for end in range(len(content)):
        result, warnings = outcome(path, name, content[:end], on_error, caplog)
        if not isinstance(result, MalformedInputError) and not warnings:
            # The cut is between two sentences: nothing can tell it, and nothing of one is lost.
            assert result == whole[: len(result)], content[:end]
            assert content[:end].endswith(b"\n")


BYTES = b"\n\t \xff\r\0)9_#"
MUTATIONS: Dict[str, Callable[[bytes, int], bytes]] = {
    "another byte": lambda text, i: (
        text[:i] + b"\xff\0\r\n\t (9_#"[i % 10 : i % 10 + 1] + text[i + 1 :]
    ),
    "a byte more": lambda text, i: text[:i] + b"\n\t \xe9\r\0)1|:"[i % 10 : i % 10 + 1] + text[i:],
    "a byte less": lambda text, i: text[:i] + text[i + 1 :],
    "digits": lambda text, i: text[:i] + b"7" * 5000 + text[i:],
    "brackets": lambda text, i: text[:i] + b"(2 " * 1500 + text[i:],
    "a long word": lambda text, i: text[:i] + b"x" * 30_000 + text[i:],
    "a line separator": lambda text, i: text[:i] + "\u2028".encode() + text[i:],
    "half of a pair": lambda text, i: text[:i] + b"\xed\xa0\xbd" + text[i:],
}


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_the_bytes_it_is_data_or_an_error_with_its_place(tmp_path, name, mutation, caplog):
    content = SAMPLES[name].text.encode()
    for place in range(len(mutation) % 7, len(content), 13):
        mutated = MUTATIONS[mutation](content, place)
        for on_error in ("raise", "skip"):
            result, _ = outcome(tmp_path / "file", name, mutated, on_error, caplog)
            assert result


@pytest.mark.parametrize("name", [name for name in NAMES if "sdp" in name or "conll" in name])
def test_no_piece_of_a_sentence_is_kept_under_skip(tmp_path, name, caplog):
    content = SAMPLES[name].text.encode()
    path = tmp_path / "file"
    whole, _ = outcome(path, name, content, "raise", caplog)
    words = {text.split("'pos'")[0].split("'words'")[1] for text in whole}
    for place in range(len(content)):
        torn = content[:place] + b"\n\n" + content[place:]
        result, _ = outcome(path, name, torn, "skip", caplog)
        kept = [] if isinstance(result, MalformedInputError) else result
        # A name may be torn off, and is told of; not a word, nor a piece of a layer.
        assert {text.split("'pos'")[0].split("'words'")[1] for text in kept} <= words, torn
        assert {text.split("'source'")[1] for text in kept} <= {
            text.split("'source'")[1] for text in whole
        }, torn


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_another_encoding_is_an_error_at_the_first_line(tmp_path, name, encoding, caplog):
    content = SAMPLES[name].text.encode(encoding)
    result, _ = outcome(tmp_path / "file", name, content, "raise", caplog)
    assert isinstance(result, MalformedInputError)
    assert result.line == 1


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("content", [b"", b"\n", b" \n\n", b"\0" * 100, b"\r\n\r\n", b"# a\n\n"])
@pytest.mark.parametrize("name", NAMES)
def test_no_instance_is_an_error(tmp_path, name, content, on_error, caplog):
    result, _ = outcome(tmp_path / "file", name, content, on_error, caplog)
    assert isinstance(result, MalformedInputError)


@pytest.mark.parametrize("name", ["sdp 2015", "conll", "trees", "lines"])
def test_a_small_file_that_unpacks_to_much_takes_no_memory(tmp_path, name, caplog):
    content = lzma.compress(bytes(2**25), preset=1)
    with caplog.at_level(logging.WARNING):
        result, _ = outcome(tmp_path / "file", name, content, "skip", caplog)
    assert isinstance(result, MalformedInputError)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_list_of_files_is_refused(name):
    sample = SAMPLES[name]
    reader = DatasetReader.by_name(sample.reader)(**sample.options)
    with pytest.raises(Exception, match="a list without a file"):
        list(reader.read([]))
