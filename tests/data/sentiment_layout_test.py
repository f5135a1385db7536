import pytest

from spigot_allennlp.data.sentiment_layout import find_sentiment_layout
from tests.data.sample_files import SST, SST_COLUMNS, SST_LINES


@pytest.mark.parametrize(
    "path, layout", [(SST, "trees"), (SST_COLUMNS, "columns"), (SST_LINES, "lines")]
)
def test_the_layout_of_a_file_is_found(path, layout):
    assert find_sentiment_layout(str(path)) == layout


@pytest.mark.parametrize(
    "path, layout", [(SST, "trees"), (SST_COLUMNS, "columns"), (SST_LINES, "lines")]
)
def test_a_malformed_beginning_does_not_hide_it(tmp_path, path, layout):
    text = "3 (3 (2 It)\t works\t\n1\ta\tb\n\n" + path.read_text(encoding="utf-8")
    (tmp_path / "data").write_text(text, encoding="utf-8")
    assert find_sentiment_layout(str(tmp_path / "data")) == layout


@pytest.mark.parametrize("text", ["", "\n\n", "no layout at all\n"])
def test_where_nothing_tells_it_is_trees(tmp_path, text):
    (tmp_path / "data").write_text(text)
    assert find_sentiment_layout(str(tmp_path / "data")) == "trees"


def test_the_embedded_data_set_is_trees():
    assert find_sentiment_layout("synthetic:size=3,seed=1") == "trees"
