import lzma

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader

from spigot_allennlp.data.dataset_readers.sdp import (
    SdpReader,
    check_tokens,
    companion_path,
    with_companion,
)
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.formats.conll import scan_conll
from spigot_allennlp.data.formats.sdp import scan_sdp
from spigot_allennlp.data.formats.source import as_source
from tests.data.sample_files import AUGMENTED, CONLLX, SDP_2014, SDP_2015, records_of, wescience


def contents(instances) -> list:
    return [
        {name: getattr(field, "labels", None) for name, field in instance.fields.items()}
        for instance in instances
    ]


def test_it_is_chosen_by_name_and_takes_the_options_of_every_reader():
    reader = DatasetReader.from_params(
        Params(
            {
                "type": "sdp",
                "companion": {str(SDP_2014): str(CONLLX)},
                "max_instances": 4,
                "on_error": "skip",
                "multiple_roots": True,
                "token_indexers": {"tokens": {"type": "single_id", "lowercase_tokens": True}},
            }
        )
    )
    instances = list(reader.read(str(SDP_2014)))
    assert len(instances) == 4
    assert instances[2]["heads"].labels == [2, 0, 4, 2, 2]


@pytest.mark.parametrize("path", [SDP_2015, SDP_2014, AUGMENTED])
def test_a_sentence_of_any_form_becomes_an_instance(path):
    instance = list(SdpReader(trees=False).read(path))[2]
    assert [token.text for token in instance["tokens"]] == ["Anna", "wants", "to", "leave", "."]
    assert [token.lemma_ for token in instance["tokens"]] == ["Anna", "want", "to", "leave", "."]
    assert [token.pos_ for token in instance["tokens"]] == ["NNP", "VBZ", "TO", "VB", "."]
    assert instance["graph"].indices == [(0, 1), (3, 1), (0, 3)]
    assert instance["graph"].labels == ["ARG1", "ARG2", "ARG1"]
    assert instance["tops"].labels == [0, 1, 0, 0, 0]
    assert instance["metadata"].metadata["id"] == "90000003"
    assert "heads" not in instance.fields


def test_the_companion_gives_the_trees_that_the_augmented_form_has():
    with_companion = list(SdpReader(companion=".conll").read(SDP_2015))
    augmented = list(SdpReader().read(AUGMENTED))
    assert contents(with_companion) == contents(augmented)
    assert with_companion[2]["relations"].labels == ["nsubj", "root", "mark", "xcomp", "punct"]


def test_the_suffix_serves_every_file_and_files_may_be_compressed(tmp_path):
    for name in ("train", "dev"):
        (tmp_path / f"{name}.sdp.xz").write_bytes(lzma.compress(SDP_2015.read_bytes()))
    (tmp_path / "train.conll").write_bytes(CONLLX.read_bytes())
    (tmp_path / "dev.conll.xz").write_bytes(lzma.compress(CONLLX.read_bytes()))
    reader = SdpReader(companion=".conll")
    expected = contents(reader.read(SDP_2015))
    assert contents(reader.read(tmp_path / "train.sdp.xz")) == expected
    assert contents(reader.read(tmp_path / "dev.sdp.xz")) == expected


def test_filler_heads_are_no_tree_unless_they_are_not_asked_for(tmp_path):
    path = tmp_path / "filler.sdp"
    path.write_text("1\ta\ta\tN\t0\tNULL\t+\t-\t_\n2\tb\tb\tN\t0\tNULL\t-\t-\t_\n\n")
    with pytest.raises(MalformedInputError, match="filler.sdp:2: more than one root"):
        list(SdpReader().read(path))
    (instance,) = SdpReader(trees=False).read(path)
    assert "heads" not in instance.fields
    (instance,) = SdpReader(multiple_roots=True).read(path)
    assert instance["heads"].labels == [0, 0]


def test_an_error_of_a_companion_tree_names_the_companion(tmp_path):
    (tmp_path / "a.sdp").write_text("1\ta\t_\t_\t-\t-\t_\n\n")
    (tmp_path / "a.conll").write_text("\n1\ta\t_\t_\t_\t_\t1\t_\t_\t_\n\n")
    with pytest.raises(MalformedInputError, match="a.conll:2: a cycle"):
        list(SdpReader(companion=".conll").read(tmp_path / "a.sdp"))


def test_a_bad_sentence_of_either_file_leaves_the_others_with_their_partners(tmp_path):
    graphs = SDP_2015.read_text(encoding="utf-8").split("\n\n")
    trees = CONLLX.read_text(encoding="utf-8").split("\n\n")
    graphs[1] = graphs[1].replace("\t-\t+\t", "\t?\t+\t")
    # The empty line after the fifth tree is missing.
    trees[4:6] = [trees[4] + "\n" + trees[5]]
    (tmp_path / "a.sdp").write_text("\n\n".join(graphs), encoding="utf-8")
    (tmp_path / "a.conll").write_text("\n\n".join(trees), encoding="utf-8")
    reader = SdpReader(companion=".conll", on_error="skip")
    left = [
        instance["metadata"].metadata["id"][-2:] for instance in reader.read(tmp_path / "a.sdp")
    ]
    assert left == ["01", "03", "04", "07", "08", "09", "10"]


def test_the_embedded_data_set_is_its_own_companion():
    instances = list(SdpReader(companion=".conll").read("synthetic:size=20,seed=1"))
    assert len(instances) == 20
    for instance in instances:
        assert {"heads", "relations", "graph", "tops"} <= set(instance.fields)


def test_the_treebank_matches_its_companion():
    instances = list(SdpReader(companion=".conll").read(wescience("dev.sdp")))
    assert len(instances) == 566
    assert sum(len(instance["graph"].indices) for instance in instances) == 8155


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


@pytest.mark.parametrize("suffix", [".conll", ".conllu", ".conllx"])
@pytest.mark.parametrize("there", [".conll", ".conllu", ".conllx.gz"])
def test_a_suffix_of_conll_finds_the_trees_under_another(tmp_path, suffix, there):
    (tmp_path / f"train{there}").touch()
    assert companion_path(str(tmp_path / "train.sdp"), suffix) == str(tmp_path / f"train{there}")
    (tmp_path / f"train{suffix}").touch()
    assert companion_path(str(tmp_path / "train.sdp"), suffix) == str(tmp_path / f"train{suffix}")
    assert companion_path(str(tmp_path / "train.sdp"), ".trees") == str(tmp_path / "train.trees")


def test_a_path_without_entry_is_a_mistake_of_the_config():
    with pytest.raises(ConfigurationError, match=r"no entry for the data path b.sdp, .*'a.sdp'"):
        companion_path("b.sdp", {"a.sdp": "a.conll"})


def test_the_fixtures_match():
    for sentence, tree in zip(
        records_of(scan_sdp(str(SDP_2015))), records_of(scan_conll(str(CONLLX))), strict=True
    ):
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
    sentence = next(records_of(scan_sdp(written(tmp_path, "a.sdp", "a b c"))))
    tree = next(records_of(scan_conll(written(tmp_path, "a.conll", "a x c"))))
    with pytest.raises(MalformedInputError) as caught:
        check_tokens(sentence, tree, match_forms=True)
    text = str(caught.value)
    assert text.startswith(f"{sentence.path}:2: the companion file does not match: the form 'b'")
    assert f"but 'x' at {tree.path}:2" in text
    check_tokens(sentence, tree, match_forms=False)


def test_a_length_mismatch_names_both_files_and_lines(tmp_path):
    sentence = next(records_of(scan_sdp(written(tmp_path, "a.sdp", "a b c"))))
    tree = next(records_of(scan_conll(written(tmp_path, "a.conll", "a b"))))
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
    first, second = with_companion(as_source(path), as_source(other))
    assert [sentence.tokens[0].form for sentence in first] == ["a", "a"]
    (error,) = (result for result in second if isinstance(result, MalformedInputError))
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
