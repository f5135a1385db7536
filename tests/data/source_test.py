import gzip
import lzma

import pytest

from spigot_allennlp.data.source import is_synthetic, open_source

TEXT = "1\tZoë\n".encode()


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress])
def test_compression_is_told_by_content_whatever_the_name(tmp_path, compress):
    for name in ("data", "data.gz", "data.xz"):
        path = tmp_path / name
        path.write_bytes(compress(TEXT))
        with open_source(path, "sdp") as stream:
            assert stream.read() == TEXT


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.sdp"):
        open_source(tmp_path / "nowhere.sdp", "sdp")


def test_an_empty_file_is_an_empty_stream(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    with open_source(tmp_path / "empty", "sdp") as stream:
        assert stream.read() == b""


def test_the_embedded_data_set_is_told_by_its_prefix():
    assert is_synthetic("synthetic:size=3,seed=1")
    assert not is_synthetic("data/synthetic.sdp")


def test_the_embedded_data_set_comes_in_the_layout_that_is_asked_for():
    with open_source("synthetic:size=2,seed=1", "sdp") as stream:
        assert stream.read().startswith(b"#SDP 2015\n")
    with open_source("synthetic:size=2,seed=1", "conllx") as stream:
        assert len(stream.readline().split(b"\t")) == 10
