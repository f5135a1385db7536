import bz2
import gzip
import lzma
import random

import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats import compression
from spigot_allennlp.data.formats.source import open_file

TEXT = "1\tZoë\n".encode()


COMPRESS = [gzip.compress, bz2.compress, lzma.compress]


def content_of(path, content):
    path.write_bytes(content)
    with open_file(path) as stream:
        return stream.read()


@pytest.mark.parametrize("compress", [bytes, *COMPRESS])
def test_compression_is_recognised_by_content_whatever_the_name(tmp_path, compress):
    for name in ("data", "data.gz", "data.xz", "data.bz2"):
        path = tmp_path / name
        path.write_bytes(compress(TEXT))
        with open_file(path) as stream:
            assert stream.read() == TEXT


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.sdp"):
        open_file(tmp_path / "nowhere.sdp")


def test_an_empty_file_is_an_empty_stream(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    with open_file(tmp_path / "empty") as stream:
        assert stream.read() == b""


@pytest.mark.parametrize("compress", COMPRESS)
def test_what_was_compressed_is_read_whatever_its_size(tmp_path, compress):
    for text in (b"", b"a", random.Random(1).randbytes(300_000), b"ab" * 200_000):
        assert content_of(tmp_path / "data", compress(text)) == text


@pytest.mark.parametrize("compress", COMPRESS)
def test_several_streams_in_a_file_are_read_one_after_the_other(tmp_path, compress):
    assert content_of(tmp_path / "data", compress(b"a") + compress(b"") + compress(b"b")) == b"ab"


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
def test_zeros_behind_a_stream_are_padding(tmp_path, compress):
    padded = compress(b"a") + bytes(512) + compress(b"b") + bytes(4)
    assert content_of(tmp_path / "data", padded) == b"ab"


@pytest.mark.parametrize("compress", COMPRESS)
def test_a_stream_that_was_cut_anywhere_is_damaged_and_the_file_named(tmp_path, compress):
    whole = compress(TEXT * 3)
    for length in range(10, len(whole), 2):
        with pytest.raises(MalformedInputError, match="data: byte .* of its content: the comp"):
            content_of(tmp_path / "data", whole[:length])


@pytest.mark.parametrize("compress", COMPRESS)
def test_whichever_bit_is_flipped_the_content_is_right_or_the_damage_is_reported(
    tmp_path, compress
):
    whole = compress(TEXT * 3)
    for bit in range(8 * 10, 8 * len(whole), 5):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            assert content_of(tmp_path / "data", bytes(damaged)) == TEXT * 3
        except MalformedInputError as error:
            assert error.fault is Fault.DAMAGED_ARCHIVE


@pytest.mark.parametrize("compress", COMPRESS)
def test_what_does_not_belong_to_the_compressed_data_is_damage(tmp_path, compress):
    for text in (b"a", b"abc" * 100_000):
        with pytest.raises(MalformedInputError, match="6e 6f 74 20 74 68 69 73 where the comp"):
            content_of(tmp_path / "data", compress(text) + b"not this")


@pytest.mark.parametrize("compress", COMPRESS)
def test_a_small_file_that_holds_very_much_is_refused(tmp_path, compress, monkeypatch):
    monkeypatch.setattr(compression, "UNSUSPECTED", 2**20)
    assert len(content_of(tmp_path / "data", compress(bytes(2**20)))) == 2**20
    (tmp_path / "data").write_bytes(compress(bytes(2**26)))
    with open_file(tmp_path / "data") as stream:
        with pytest.raises(MalformedInputError, match="data: more data .* compressed bytes hold"):
            stream.read()


@pytest.mark.parametrize(
    "start, way_out",
    [
        (b"PK\3\4", "unzip FILE"),
        (b"7z\xbc\xaf\x27\x1c", "7z x FILE"),
        (b"\x04\x22\x4d\x18", "lz4 -d FILE"),
        (b"LZIP\1", "lzip -d FILE"),
    ],
)
def test_other_compression_is_named_with_the_way_out(tmp_path, start, way_out):
    with pytest.raises(MalformedInputError, match=f"data: a compression .*{way_out}"):
        content_of(tmp_path / "data", start + bytes(100))


def test_zstd_is_read_or_named(tmp_path):
    # A frame that holds "a", as `zstd` writes it, with the checksum.
    frame = bytes.fromhex("28 b5 2f fd 04 58 09 00 00 61 5b 6e 8c a9")
    try:
        assert content_of(tmp_path / "data", frame) == b"a"
    except MalformedInputError as error:
        assert error.fault is Fault.UNREAD_COMPRESSION and "pip install zstandard" in str(error)
