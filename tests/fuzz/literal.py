"""
What a file says, read a second time: as literally as possible, and without the readers' code.

Nothing here knows what is malformed. A reader may refuse whatever it likes; what it accepts must be
what stands at the place that the instance names.
"""

import bz2
import gzip
import lzma
import re
import struct
from typing import Callable, Dict, List, NamedTuple, Tuple

import numpy
from allennlp.data import Instance

from tests.fuzz.outcomes import Silent

MAGIC: Dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"\xfd7zXZ\x00": lzma.decompress,
    b"BZh": bz2.decompress,
}


def uncompressed(content: bytes) -> bytes:
    """
    The bytes in a compressed file, to its end, or those of a plain one. Raises whatever the
    standard library raises where the file is damaged.
    """
    for magic, decompress in MAGIC.items():
        if content.startswith(magic):
            return decompress(content)
    return content


def text_lines(content: bytes) -> List[str]:
    """
    The lines of a text, the byte order mark and a carriage return at a line's end taken off. What
    is no UTF-8 becomes what no sound line has.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "backslashreplace")
    return [line.removesuffix("\r") for line in text.split("\n")]


class Piece(NamedTuple):
    """Lines between two empty ones: the number of the first, from 1, and the lines."""

    start: int
    lines: List[str]

    @property
    def ids(self) -> List[str]:
        """The first cells of what is no comment."""
        return [line.partition("\t")[0] for line in self.lines if not line.startswith("#")]


def num_sentences(blocks: List[Piece]) -> int:
    """
    Pieces that begin a sentence, as their first id says. Any other may belong to the piece before
    it, and counts with that.
    """
    firsts = [ids[0] for ids in (block.ids for block in blocks) if ids]
    return sum(
        number == 0 or first == "1" or first.startswith(("1-", "0."))
        for number, first in enumerate(firsts)
    )


def pieces(content: bytes) -> List[Piece]:
    """The blocks of a file in which empty lines part the sentences."""
    blocks: List[Piece] = []
    is_open = False
    for number, line in enumerate(text_lines(content), start=1):
        if not line.strip():
            is_open = False
        elif is_open:
            blocks[-1].lines.append(line)
        else:
            blocks.append(Piece(number, [line]))
            is_open = True
    return blocks


def rows_at(content: bytes, number: int) -> List[List[str]]:
    """The cells of the lines from line `number` on, up to the first empty one."""
    rows = []
    for line in text_lines(content)[number - 1 :]:
        if not line.strip():
            break
        rows.append(line.split("\t"))
    return rows


def line_of(instance: Instance) -> int:
    """The line at which an instance says that it begins."""
    return int(instance["metadata"].metadata["source"].rpartition(":")[2])


def check_equal(name: str, actual: object, expected: object) -> None:
    """Raises `Silent` if an instance does not say what the file says."""
    if actual != expected:
        raise Silent(f"{name}: the instance has {actual!r}, but the file {expected!r}"[:2000])


def _graph(instance: Instance) -> List[Tuple[int, int, str]]:
    graph = instance["graph"]
    return sorted(
        (head + 1, dependent + 1, label)
        for (dependent, head), label in zip(graph.indices, graph.labels or [], strict=True)
    )


def check_sdp(instance: Instance, content: bytes) -> None:
    """Words, lemmas, parts of speech, tops and arcs, in the layout that the widths allow."""
    rows = rows_at(content, line_of(instance))
    metadata = instance["metadata"].metadata
    for name, column in (("words", 1), ("lemmas", 2), ("pos", 3)):
        check_equal(name, metadata[name], [row[column] for row in rows])
    check_equal("ids", [row[0] for row in rows], [str(i) for i in range(1, len(rows) + 1)])
    says_2015 = "#SDP 2015" in text_lines(content)[: line_of(instance)]
    readings = []
    for top in (4, 6):
        flags = [flag for row in rows for flag in row[top : top + 2]]
        if len(flags) == 2 * len(rows) and {"+", "-"} >= set(flags):
            predicates = [i for i, row in enumerate(rows, 1) if row[top + 1] == "+"]
            width = len(rows[0]) - len(predicates)
            if width == top + 3 or (width == top + 2 and not (says_2015 and top == 4)):
                tops = [int(row[top] == "+") for row in rows]
                arcs = [
                    (head, i, role)
                    for i, row in enumerate(rows, 1)
                    for head, role in zip(predicates, row[width:], strict=True)
                    if role != "_"
                ]
                readings.append((sorted(arcs), tops))
    actual = _graph(instance), list(map(int, instance["tops"].labels))
    if actual not in readings:
        check_equal("graph and tops", actual, readings)


def check_conll(instance: Instance, content: bytes) -> None:
    """Words, and the tree if it was asked for."""
    rows = rows_at(content, line_of(instance))
    words = [row for row in rows if "-" not in row[0] and "." not in row[0]]
    check_equal("columns", {len(row) for row in rows}, {10})
    check_equal("ids", [row[0] for row in words], [str(i) for i in range(1, len(words) + 1)])
    metadata = instance["metadata"].metadata
    for name, column in (("words", 1), ("lemmas", 2), ("pos", 3)):
        check_equal(name, metadata[name], [row[column] for row in words])
    if "heads" in instance.fields:
        heads = [str(head) for head in instance["heads"].labels]
        check_equal("heads", heads, [row[6] for row in words])
        check_equal("relations", list(instance["relations"].labels), [row[7] for row in words])


def check_enhanced(instance: Instance, content: bytes) -> None:
    """Beside `check_conll` those arcs that pass no empty node."""
    check_conll(instance, content)
    rows = rows_at(content, line_of(instance))
    direct = {
        (int(head), int(row[0]))
        for row in rows
        if row[0].isdigit() and row[8] != "_"
        for head in [part.partition(":")[0] for part in row[8].split("|")]
        if head.isdigit() and head != "0"
    }
    pairs = {(head, dependent) for head, dependent, _ in _graph(instance)}
    if not direct <= pairs:
        raise Silent(f"the arcs {sorted(direct - pairs)} of DEPS are lost")
    if pairs - direct and not any("." in row[0] for row in rows):
        raise Silent(f"no DEPS has the arcs {sorted(pairs - direct)}")


def check_sentiment_tree(instance: Instance, content: bytes) -> None:
    """Words and the label of the whole."""
    line = text_lines(content)[line_of(instance) - 1]
    leaves = re.findall(r"\([ \t]*[0-4][ \t]+([^() \t]+)[ \t]*\)", line)
    check_equal("words", instance["metadata"].metadata["words"], leaves)
    check_equal("label", instance["label"].label, line.lstrip(" \t(")[0])
    check_equal("brackets", line.count("("), line.count(")"))


def check_sentiment_columns(instance: Instance, content: bytes) -> None:
    """Words, lemmas and the label."""
    rows = rows_at(content, line_of(instance))
    metadata = instance["metadata"].metadata
    for name, column in (("words", 1), ("lemmas", 2), ("pos", 3)):
        check_equal(name, metadata[name], [row[column] for row in rows])
    labels = {row[4] for row in rows} - {"_"}
    if len(labels) == 1 and labels <= set("01234"):
        check_equal("label", instance["label"].label, *labels)


def check_sentiment_line(instance: Instance, content: bytes) -> None:
    """Words and the label."""
    label, tab, text = text_lines(content)[line_of(instance) - 1].partition("\t")
    words = [word for word in text.split(" ") if word]
    check_equal("words", instance["metadata"].metadata["words"], words)
    if label in set("01234"):
        check_equal("label", instance["label"].label, label)


def array_of_idx(content: bytes, kinds: Dict[int, str]) -> numpy.ndarray:
    """The numbers of an idx file, in its shape; `kinds` are the types that are right here."""
    zeros, kind, dimensions = struct.unpack(">HBB", content[:4])
    shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    data = content[4 + 4 * dimensions :]
    size = numpy.dtype(kinds.get(kind, "u1")).itemsize * numpy.prod(shape, dtype=object)
    if zeros or kind not in kinds or size != len(data):
        raise Silent(f"accepted, but the header is {content[:16].hex(' ')} of {len(data)} bytes")
    return numpy.frombuffer(data, kinds[kind]).reshape(shape)


def events_of(content: bytes) -> List[Tuple[int, int]]:
    """Time and source of each event of N-MNIST's format."""
    if len(content) % 5:
        raise Silent(f"accepted, but {len(content)} bytes are not whole events")
    events, overflown = [], 0
    for at in range(0, len(content), 5):
        column, row, first, second, third = content[at : at + 5]
        if row == 240:
            overflown += 2**13
        else:
            time = ((first & 127) << 16) + (second << 8) + third + overflown
            events.append((time, ((first >> 7) * 34 + row) * 34 + column))
    return events


def samples_of_wav(content: bytes) -> Tuple[int, List[int]]:
    """Rate and samples of a WAV file of one channel of 16 bits, chunk by chunk."""
    riff, size, wave = struct.unpack("<4sI4s", content[:12])
    rate, samples, at = 0, None, 12
    while at + 8 <= len(content) and samples is None:
        name, length = struct.unpack("<4sI", content[at : at + 8])
        chunk = content[at + 8 : at + 8 + length]
        if len(chunk) < length:
            raise Silent(f"accepted, but its chunk {name!r} is cut")
        if name == b"fmt ":
            kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
            if (channels, bits) != (1, 16) or kind not in (1, 0xFFFE):
                raise Silent(f"accepted with {channels} channels of {bits} bits, kind {kind}")
        elif name == b"data":
            samples = [value for (value,) in struct.iter_unpack("<h", chunk)]
        at += 8 + length + length % 2
    if not samples:
        raise Silent("accepted without samples")
    return rate, samples


def members_of_tar(content: bytes) -> List[Tuple[str, bytes]]:
    """Name and content of each plain file in a tar archive, block by block."""
    members, at = [], 0
    while at < len(content) and content[at : at + 512].strip(b"\0"):
        header = content[at : at + 512]
        named = int(header[148:156].strip(b" \0") or b"0", 8)
        if named != sum(header[:148]) + 8 * 32 + sum(header[156:]):
            raise Silent(f"accepted, but the header at byte {at} is damaged")
        size = int(header[124:136].strip(b" \0") or b"0", 8)
        name = header[:100].split(b"\0")[0].decode("latin-1")
        if header[156:157] in (b"0", b"\0"):
            members.append((name, content[at + 512 : at + 512 + size]))
        at += 512 + (size + 511) // 512 * 512
    return members
