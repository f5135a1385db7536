import lzma

import pytest
from allennlp.common import Params
from allennlp.data import DatasetReader

from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.errors import MalformedInputError
from tests.data.sample_files import AUGMENTED, CONLLX, SDP_2014, SDP_2015, wescience


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
    left = [one["metadata"].metadata["id"][-2:] for one in reader.read(tmp_path / "a.sdp")]
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
