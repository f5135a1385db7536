import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.conll_format import read_conll, scan_conll
from spigot_allennlp.data.dataset_readers.companion import (
    check_tokens,
    companion_path,
    with_companion,
)
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.sdp_format import read_sdp, scan_sdp
from tests.data.sample_files import CONLLX, SDP_2015


@pytest.mark.parametrize(
    "path, companion, expected",
    [
        ("data/train.sdp", ".conll", "data/train.conll"),
        ("data/train.sdp.xz", ".conll", "data/train.conll"),
        ("data/en.train.sdp", ".trees.conllu", "data/en.train.trees.conllu"),
        ("data.d/train", ".conll", "data.d/train.conll"),
        ("data/train.sdp", "trees/all.conll", "trees/all.conll"),
        ("data/train.sdp", "./all.conll", "./all.conll"),
        ("a.sdp", {"a.sdp": "b.conll", "c.sdp": "d.conll"}, "b.conll"),
        ("synthetic:size=2", ".conll", "synthetic:size=2"),
        ("synthetic:size=2", {"a.sdp": "b.conll"}, "synthetic:size=2"),
    ],
)
def test_the_companion_of_a_path(path, companion, expected):
    assert companion_path(path, companion) == expected


@pytest.mark.parametrize("end", [".gz", ".bz2", ".xz", ".zst"])
def test_the_suffix_finds_a_compressed_companion(tmp_path, end):
    (tmp_path / f"train.conll{end}").touch()
    expected = str(tmp_path / f"train.conll{end}")
    assert companion_path(str(tmp_path / "train.sdp"), ".conll") == expected


def test_a_path_without_entry_is_a_mistake_of_the_config():
    with pytest.raises(ConfigurationError, match=r"no entry for the data path b.sdp, .*'a.sdp'"):
        companion_path("b.sdp", {"a.sdp": "a.conll"})


def test_the_fixtures_match():
    for sentence, tree in zip(read_sdp(str(SDP_2015)), read_conll(str(CONLLX)), strict=True):
        check_tokens(sentence, tree, match_forms=True)


def written(tmp_path, name: str, *sentences: str) -> str:
    path = tmp_path / name
    rows = {"a.sdp": "\t_\t_\t-\t-\t_\n", "a.conll": "\t_\t_\t_\t_\t0\t_\t_\t_\n"}
    text = "\n".join(
        "".join(f"{i}\t{form}{rows[name]}" for i, form in enumerate(sentence.split(), 1))
        for sentence in sentences
    )
    path.write_text(text)
    return str(path)


def test_a_token_mismatch_names_both_files_and_lines(tmp_path):
    sentence = next(read_sdp(written(tmp_path, "a.sdp", "a b c")))
    tree = next(read_conll(written(tmp_path, "a.conll", "a x c")))
    with pytest.raises(MalformedInputError) as caught:
        check_tokens(sentence, tree, match_forms=True)
    text = str(caught.value)
    assert text.startswith(f"{sentence.path}:2: the companion file does not match: the form 'b'")
    assert f"but 'x' at {tree.path}:2" in text
    check_tokens(sentence, tree, match_forms=False)


def test_a_length_mismatch_names_both_files_and_lines(tmp_path):
    sentence = next(read_sdp(written(tmp_path, "a.sdp", "a b c")))
    tree = next(read_conll(written(tmp_path, "a.conll", "a b")))
    with pytest.raises(MalformedInputError, match=r"a.sdp:1: .*3 tokens, but 2 .* at .*a.conll:1"):
        check_tokens(sentence, tree, match_forms=False)


@pytest.mark.parametrize(
    "graphs, trees, message",
    [
        (["a", "b"], ["a"], "a.sdp:3: the companion .*: no sentence is left in .*a.conll for"),
        (["a"], ["a", "b"], "a.conll:3: the companion .*: no sentence is left in .*a.sdp for"),
    ],
)
def test_a_sentence_without_partner_is_an_error(tmp_path, graphs, trees, message):
    path, other = written(tmp_path, "a.sdp", *graphs), written(tmp_path, "a.conll", *trees)
    first, second = with_companion(path, scan_sdp(path), other, scan_conll(other))
    assert [one.tokens[0].form for one in first] == ["a", "a"]
    (error,) = (one for one in second if isinstance(one, MalformedInputError))
    with pytest.raises(MalformedInputError, match=message):
        raise error


def test_the_star_of_a_map_stands_for_all_other_paths():
    companion = {"dev.sdp": "elsewhere/dev.conll", "*": ".conll"}
    assert companion_path("dev.sdp", companion) == "elsewhere/dev.conll"
    assert companion_path("folder/test.sdp", companion) == "folder/test.conll"


def test_a_companion_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "alone.sdp"
    path.write_text(SDP_2015.read_text())
    with pytest.raises(ConfigurationError, match='alone.conll does not exist.*"trees": false'):
        list(SdpReader(companion=".conll").read(str(path)))
