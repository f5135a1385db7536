"""Every reader of ours, under mutated files."""

import io
import logging
import struct
import tarfile
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple, Type

import numpy
import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from hypothesis import given
from hypothesis import strategies as st

from spigot_allennlp.data.errors import MalformedInputError
from tests.data import sample_files
from tests.data.idx_files import idx
from tests.fuzz import literal
from tests.fuzz.mutations import fuzz, mutated
from tests.fuzz.outcomes import (
    TABLE,
    Silent,
    check_message,
    count_skipped,
    no_hang,
    warnings_of_ours,
)

Files = Dict[str, bytes]
# What a reading gives: instances, or the error, and the warnings.
Reading = Tuple[Any, List[str]]

# Instances in a fixture are long enough to hide in; two or three are enough to mutate.
SENTENCES = 3


class TextSource(NamedTuple):
    """
    # Parameters

    options : `Dict[str, Any]`
        Of the reader; its `type`, too.
    content : `bytes`
        Of a sound file.
    check : `Callable[[Instance, bytes], None]`
        Raises `Silent` if an instance does not say what the (uncompressed) file says.
    one_a_line : `bool`
        Whether a line is a sentence, or an empty line parts them.
    sign : `str`
        What a line has that begins a sentence, if `one_a_line`.
    """

    options: Dict[str, Any]
    content: bytes
    check: Callable[[Instance, bytes], None]
    one_a_line: bool = False
    sign: str = ""


def first_blocks(path: Path) -> bytes:
    return b"\n\n".join(path.read_bytes().split(b"\n\n")[:SENTENCES]) + b"\n\n"


def first_lines(path: Path) -> bytes:
    return b"\n".join(path.read_bytes().split(b"\n")[: SENTENCES + 1]) + b"\n"


BLOCKS, LINES = first_blocks, first_lines
CONLL = {"type": "conll", "trees": True}
TEXT = {
    "sdp 2014": TextSource({"type": "sdp"}, BLOCKS(sample_files.SDP_2014), literal.check_sdp),
    "sdp 2015": TextSource({"type": "sdp"}, BLOCKS(sample_files.SDP_2015), literal.check_sdp),
    "sdp augmented": TextSource({"type": "sdp"}, BLOCKS(sample_files.AUGMENTED), literal.check_sdp),
    "conllx": TextSource(CONLL, BLOCKS(sample_files.CONLLX), literal.check_conll),
    "conllu": TextSource(CONLL, BLOCKS(sample_files.CONLLU), literal.check_conll),
    "conllu without trees": TextSource(
        {"type": "conll", "trees": False}, BLOCKS(sample_files.CONLLU), literal.check_conll
    ),
    "enhanced graphs": TextSource(
        {**CONLL, "enhanced_graph": True}, BLOCKS(sample_files.CONLLU), literal.check_enhanced
    ),
    "sentiment trees": TextSource(
        {"type": "sst", "layout": "trees"},
        LINES(sample_files.SST),
        literal.check_sentiment_tree,
        one_a_line=True,
    ),
    "sentiment columns": TextSource(
        {"type": "sst", "layout": "columns"},
        BLOCKS(sample_files.SST_COLUMNS),
        literal.check_sentiment_columns,
    ),
    "sentiment lines": TextSource(
        {"type": "sst", "layout": "lines"},
        LINES(sample_files.SST_LINES),
        literal.check_sentiment_line,
        one_a_line=True,
        sign="\t",
    ),
}


@pytest.mark.parametrize("name", TEXT)
@fuzz(share=0.06)
@given(data=st.data())
def test_text_is_read_as_it_stands_or_refused(tmp_path_factory, name, data):
    source = TEXT[name]
    content = data.draw(mutated(source.content))
    path = tmp_path_factory.getbasetemp() / "fuzzed.txt"
    path.write_bytes(content)
    strict, warnings = read({**source.options, "on_error": "raise"}, path)
    lenient, report = read({**source.options, "on_error": "skip"}, path)
    if isinstance(strict, MalformedInputError) and isinstance(lenient, MalformedInputError):
        TABLE[name]["refused"] += 1
        return
    plain = plain_or_silent(content)
    for instances in (strict, lenient):
        for instance in [] if isinstance(instances, MalformedInputError) else instances:
            source.check(instance, plain)
    if isinstance(strict, MalformedInputError):
        TABLE[name]["left out"] += 1
    else:
        TABLE[name]["right"] += 1
        literal.check_equal("the words under skip", words(lenient), words(strict))
        check_that_all_is_read(strict, plain, source.one_a_line)
        check_that_a_cut_is_named(warnings, plain, path, source.one_a_line)
    check_that_all_is_counted(lenient, report, plain, source)


def read(
    options: Dict[str, Any],
    path: Path,
    names: Tuple[str, ...] = (),
    refusals: Tuple[Type[Exception], ...] = (MalformedInputError,),
) -> Reading:
    """
    The only two outcomes that there are, and the warnings. An error names the `path`, or one of the
    `names` of the files that belong to it.
    """
    reader = DatasetReader.from_params(Params(dict(options)))
    with no_hang(), warnings_of_ours() as warnings:
        try:
            return list(reader.read(str(path))), warnings
        except refusals as error:
            check_message(error, path.name, *names)
            return error, warnings


def words(instances: List[Instance]) -> List[List[str]]:
    return [instance["metadata"].metadata["words"] for instance in instances]


def plain_or_silent(content: bytes) -> bytes:
    """What a file holds that was accepted; `Silent` if nothing can be made of it."""
    try:
        return literal.uncompressed(content)
    except Exception as error:
        raise Silent(f"accepted, but it cannot be decompressed: {error!r}") from error


def check_that_all_is_read(instances: List[Instance], content: bytes, one_a_line: bool) -> None:
    """Of a file without fault every line that is no comment belongs to an instance."""
    starts = [literal.line_of(instance) for instance in instances]
    literal.check_equal("the order of the lines", starts, sorted(set(starts)))
    if one_a_line:
        lines = literal.text_lines(content)
        filled = [number for number, line in enumerate(lines, 1) if line.strip()]
        literal.check_equal("the lines that are read", starts, filled)
        return
    covered = {
        start + row for start in starts for row in range(len(literal.rows_at(content, start)))
    }
    for piece in literal.pieces(content):
        for number, line in enumerate(piece.lines, piece.start):
            if not line.startswith("#") and number not in covered:
                raise Silent(f"line {number} is lost: {line[:100]!r}")


def check_that_a_cut_is_named(
    warnings: List[str], content: bytes, path: Path, one_a_line: bool
) -> None:
    """A file that ends within a line, or a sentence, may have been cut; that is not hushed up."""
    *_, before, last = ["", *literal.text_lines(content)]
    is_whole = not last.strip() and (one_a_line or not before.strip())
    if not is_whole and not any(path.name in warning for warning in warnings):
        raise Silent(f"the file ends with {content[-20:]!r}, and nobody says so")


def check_that_all_is_counted(
    lenient: Any, report: List[str], content: bytes, source: TextSource
) -> None:
    """Under skip whatever is no instance is in the count of what was left out."""
    if isinstance(lenient, MalformedInputError):
        return
    skipped = count_skipped(report)
    if source.one_a_line:
        lines = literal.text_lines(content)
        pieces = sum(bool(line.strip()) and source.sign in line for line in lines)
    else:
        pieces = literal.num_sentences(literal.pieces(content))
        check_that_no_half_is_kept(lenient, content)
    if len(lenient) + skipped < pieces:
        raise Silent(f"{len(lenient)} of {pieces} are kept, and {skipped} counted as left out")


def check_that_no_half_is_kept(instances: List[Instance], content: bytes) -> None:
    """A sentence goes on behind an empty line, if the ids do."""
    lines = literal.text_lines(content)
    for instance in instances:
        start = literal.line_of(instance)
        rows = literal.rows_at(content, start)
        ids = [row[0] for row in rows if row[0].isdigit()]
        behind = [line for line in lines[start - 1 + len(rows) :] if line.strip()][:1]
        following = behind[0].partition("\t")[0] if behind else ""
        if ids and following.partition("-")[0] == str(int(ids[-1]) + 1):
            raise Silent(f"the sentence of line {start} goes on behind the empty line after it")


# By the third byte of an idx file: what images are made of, and labels.
BYTES = {8: ">u1"}
INTEGERS = {**BYTES, 9: ">i1", 11: ">i2", 12: ">i4"}
IMAGES = numpy.arange(48, dtype=numpy.uint8).reshape(3, 4, 4)


@pytest.mark.parametrize("name", ["mnist", "pixel_sequence"])
@fuzz(share=0.06)
@given(data=st.data())
def test_images_are_read_as_they_stand_or_refused(tmp_path_factory, name, data):
    images, labels = idx(IMAGES), idx([3, 1, 7])
    if data.draw(st.booleans()):
        images = data.draw(mutated(images))
    else:
        labels = data.draw(mutated(labels))
    folder = tmp_path_factory.getbasetemp()
    path = folder / "a-images-idx3-ubyte"
    path.write_bytes(images)
    path_of_labels = folder / "a-labels-idx1-ubyte"
    path_of_labels.write_bytes(labels)
    instances, _ = read({"type": name}, path, names=(path_of_labels.name,))
    if isinstance(instances, MalformedInputError):
        TABLE[name]["refused"] += 1
        return
    expected = literal.array_of_idx(plain_or_silent(images), BYTES)
    numbers = literal.array_of_idx(plain_or_silent(labels), INTEGERS)
    literal.check_equal("labels", [i["label"].label for i in instances], list(map(str, numbers)))
    factor = 255 if name == "pixel_sequence" else 1
    for instance, image in zip(instances, expected, strict=True):
        field = instance["inputs"]
        pixels = numpy.asarray(getattr(field, "tensor", getattr(field, "array", None)))
        actual = numpy.rint(pixels.reshape(-1) * factor).tolist()
        literal.check_equal("pixels", actual, image.reshape(-1).tolist())
    TABLE[name]["right"] += 1


EVENTS = bytes([3, 4, 0, 0, 9, 5, 33, 128, 1, 0, 7, 240, 0, 0, 0, 33, 2, 129, 200, 17])


@fuzz(share=0.06)
@given(data=st.data())
def test_events_are_read_as_they_stand_or_refused(tmp_path_factory, data):
    content = data.draw(mutated(EVENTS))
    path = tmp_path_factory.getbasetemp() / "events.bin"
    path.write_bytes(content)
    instances, _ = read({"type": "n_mnist"}, path)
    if isinstance(instances, MalformedInputError):
        TABLE["n_mnist"]["refused"] += 1
        return
    (instance,) = instances
    actual = [tuple(row) for row in numpy.asarray(instance["inputs"].array).tolist()]
    literal.check_equal("events", actual, literal.events_of(plain_or_silent(content)))
    TABLE["n_mnist"]["right"] += 1


def wav(samples: List[int], rate: int = 8000) -> bytes:
    data = struct.pack(f"<{len(samples)}h", *samples)
    kind = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + kind + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(chunks) + len(data)) + chunks + data


WAV = wav([(37 * i * i) % 2001 - 1000 for i in range(300)])
SPEECH = {"type": "spoken_digits", "num_frames": 2, "num_channels": 3, "differences": False}


def features(rate: int, samples: List[int]) -> Any:
    """By the library: what is fuzzed is the way from bytes to samples."""
    from spigot_allennlp.data.dataset_readers.spoken_digits import log_mel

    return log_mel(numpy.array(samples) / 2**15, rate, 2, 3)


@fuzz(share=0.06)
@given(data=st.data())
def test_recordings_are_read_as_they_stand_or_refused(tmp_path_factory, data):
    content = data.draw(mutated(WAV))
    folder = tmp_path_factory.getbasetemp() / "recordings"
    folder.mkdir(exist_ok=True)
    (folder / "7_theo_0.wav").write_bytes(content)
    instances, _ = read(SPEECH, folder)
    if isinstance(instances, MalformedInputError):
        TABLE["recordings"]["refused"] += 1
        return
    (instance,) = instances
    expected = features(*literal.samples_of_wav(content))
    if not numpy.allclose(instance["inputs"].array, expected, atol=1e-6):
        raise Silent("the recording is not what its file says")
    TABLE["recordings"]["right"] += 1


def tar(files: Files) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


TAR = tar({f"{digit}_theo_0.wav": WAV for digit in (1, 2, 3)})


@fuzz(share=0.06)
@given(data=st.data())
def test_archives_of_recordings_are_read_whole_or_refused(tmp_path_factory, data):
    content = data.draw(mutated(TAR))
    path = tmp_path_factory.getbasetemp() / "recordings.tar"
    path.write_bytes(content)
    instances, _ = read(SPEECH, path)
    if isinstance(instances, MalformedInputError):
        TABLE["archives of recordings"]["refused"] += 1
        return
    members = literal.members_of_tar(plain_or_silent(content))
    recordings = [(name, data) for name, data in members if name.lower().endswith(".wav")]
    names = sorted(name.rpartition("/")[2][: -len(".wav")] for name, _ in recordings)
    literal.check_equal("names", [i["metadata"].metadata["name"] for i in instances], names)
    for instance in instances:
        name = instance["metadata"].metadata["name"]
        (data,) = [data for member, data in recordings if member.rpartition("/")[2][:-4] == name]
        if not numpy.allclose(instance["inputs"].array, features(*literal.samples_of_wav(data))):
            raise Silent("a recording is not what its file says")
    TABLE["archives of recordings"]["right"] += 1


@fuzz(share=0.04)
@given(data=st.data())
def test_plain_text_is_read_as_it_stands_or_refused(tmp_path_factory, data):
    content = data.draw(mutated("A short text, with ä and ∑.\nAnother line.\n".encode()))
    path = tmp_path_factory.getbasetemp() / "text.txt"
    path.write_bytes(content)
    # A text can also be too short for the pieces that the config asks for.
    refusals = (MalformedInputError, ConfigurationError)
    options = {"type": "character_language_model", "length": 7}
    instances, _ = read(options, path, refusals=refusals)
    if isinstance(instances, refusals):
        TABLE["plain text"]["refused"] += 1
        return
    text = plain_or_silent(content).decode("utf-8")
    length = 7 * len(instances)
    characters = "".join(token.text for instance in instances for token in instance["tokens"])
    following = "".join(label for instance in instances for label in instance["labels"].labels)
    starts_with_mark = text.startswith("\ufeff")
    literal.check_equal("text", characters, text[starts_with_mark:][:length])
    literal.check_equal("labels", following, text[starts_with_mark:][1 : length + 1])
    TABLE["plain text"]["right"] += 1


# What these read is not made of bytes: a specification in the data path, or nothing at all.
WITHOUT_FILES = {"adding", "copying", "latent_clusters", "synthetic_treebank"}
# It reads its sentences by another reader's methods.
READ_AS_SST = {"long_documents"}


def test_every_reader_of_ours_is_fuzzed():
    ours = {
        name
        for name in DatasetReader.list_available()
        if DatasetReader.by_name(name).__module__.startswith("spigot_allennlp")
    }
    fuzzed = {source.options["type"] for source in TEXT.values()}
    fuzzed |= {"mnist", "pixel_sequence", "n_mnist", "spoken_digits", "character_language_model"}
    assert ours == fuzzed | WITHOUT_FILES | READ_AS_SST


@pytest.fixture(autouse=True)
def quiet():
    """Hundreds of warnings are no news here."""
    logging.getLogger("spigot_allennlp").propagate = False
    yield
    logging.getLogger("spigot_allennlp").propagate = True
