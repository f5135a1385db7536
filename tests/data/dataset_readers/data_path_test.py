from spigot_allennlp.data.dataset_readers.data_path import is_synthetic, text_source


def test_the_embedded_data_set_is_known_by_its_prefix():
    assert is_synthetic("synthetic:size=3,seed=1")
    assert not is_synthetic("data/synthetic.sdp")


def test_the_embedded_data_set_comes_in_the_layout_that_is_asked_for():
    with text_source("synthetic:size=2,seed=1", "sdp").open() as stream:
        assert stream.read().startswith(b"#SDP 2015\n")
    with text_source("synthetic:size=2,seed=1", "conllx").open() as stream:
        assert len(stream.readline().split(b"\t")) == 10
