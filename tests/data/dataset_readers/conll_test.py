import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary

from spigot_allennlp.data.dataset_readers.conll import ConllReader
from tests.data.sample_files import CONLLU, CONLLX, wescience


def test_it_is_chosen_by_name():
    reader = DatasetReader.from_params(
        Params(
            {
                "type": "conll",
                "enhanced_graph": True,
                "max_instances": 3,
                "token_indexers": {"tag": {"type": "single_id", "feature_name": "tag_"}},
            }
        )
    )
    instances = list(reader.read(CONLLU))
    assert isinstance(reader, ConllReader)
    assert len(instances) == 3
    assert set(instances[0]["tokens"].token_indexers) == {"tag"}


def test_a_tree_of_conllx_becomes_an_instance():
    instance = list(ConllReader().read(CONLLX))[2]
    assert [token.text for token in instance["tokens"]] == ["Anna", "wants", "to", "leave", "."]
    assert [token.pos_ for token in instance["tokens"]] == "PROPN VERB PART VERB PUNCT".split()
    assert [token.tag_ for token in instance["tokens"]] == "NNP VBZ TO VB .".split()
    assert instance["heads"].labels == [2, 0, 4, 2, 2]
    assert instance["relations"].labels == ["nsubj", "root", "mark", "xcomp", "punct"]
    assert instance["metadata"].metadata["source"] == f"{CONLLX}:11"
    assert "graph" not in instance.fields and "tops" not in instance.fields


@pytest.mark.parametrize("columns", ["_ {}", "{} _"], ids=["the fifth", "the fourth"])
def test_the_only_column_with_parts_of_speech_counts_for_both(tmp_path, columns):
    path = tmp_path / "one_column.conllu"
    rows = [(1, "dogs", "NNS", 2, "nsubj"), (2, "bark", "VBP", 0, "root")]
    path.write_text(
        "".join(
            "\t".join(f"{i} {form} _ {columns.format(tag)} _ {head} {relation} _ _".split()) + "\n"
            for i, form, tag, head, relation in rows
        )
        + "\n"
    )
    (instance,) = ConllReader().read(path)
    assert [token.pos_ for token in instance["tokens"]] == ["NNS", "VBP"]
    assert [token.tag_ for token in instance["tokens"]] == ["NNS", "VBP"]


def test_the_tokens_of_conllu_are_its_words():
    instance = list(ConllReader().read(CONLLU))[7]
    assert [token.text for token in instance["tokens"]] == "Vamos nos a el mar .".split()
    assert instance["heads"].labels == [0, 1, 5, 5, 1, 1]
    assert instance["metadata"].metadata["id"] == "spanish_8"


def test_the_enhanced_graph_is_taken_where_it_is_asked_for():
    instances = list(ConllReader(enhanced_graph=True).read(CONLLU))
    graph = dict(zip(instances[3]["graph"].indices, instances[3]["graph"].labels, strict=True))
    # They, the first word, has two heads: want and go.
    assert graph[(0, 1)] == "nsubj" and graph[(0, 3)] == "nsubj:xsubj"
    assert instances[3]["tops"].labels == [0, 1, 0, 0, 0]
    assert "conj:and>nsubj" in instances[2]["graph"].labels
    assert "heads" in instances[3].fields


def test_a_rare_label_is_learned_without_its_lemma():
    instances = list(ConllReader(enhanced_graph=True, back_off_labels=True).read(CONLLU))
    vocab = Vocabulary.from_instances(instances, min_count={"semantic_roles": 2})
    learned = {}
    for instance in instances:
        instance.index_fields(vocab)
        graph = instance["graph"]
        for label, index in zip(graph.labels, graph._indexed_labels, strict=True):
            learned[label] = vocab.get_token_from_index(index, "semantic_roles")
    # There is one obl:of, one obl:a, one acl and one acl:relcl; there are two conj:and.
    assert learned["obl:of"] == learned["obl:a"] == "obl"
    assert learned["acl:relcl"] == learned["acl"] == "acl"
    assert (learned["conj:and"], learned["nsubj"]) == ("conj:and", "nsubj")
    assert learned["conj:and>obj"] == "@@UNKNOWN@@"  # nor is conj>obj there twice
    strict = list(ConllReader(enhanced_graph=True).read(CONLLU))[5]
    strict.index_fields(vocab)
    indices = dict(zip(strict["graph"].labels, strict["graph"]._indexed_labels, strict=True))
    assert indices["obl:of"] == vocab.get_token_index("@@UNKNOWN@@", "semantic_roles")


def test_labels_that_back_off_do_not_count_repeated_roles():
    with pytest.raises(ConfigurationError, match="back_off_labels and count_repeated_roles"):
        ConllReader(back_off_labels=True, count_repeated_roles=True)


def test_sentences_without_heads_are_read_where_trees_are_not_asked_for(tmp_path):
    path = tmp_path / "plain.conllu"
    path.write_text("1\tGo\t_\t_\t_\t_\t_\t_\t_\t_\n\n")
    (instance,) = ConllReader(trees=False).read(path)
    assert set(instance.fields) == {"tokens", "metadata"}
    with pytest.raises(ValueError, match='plain.conllu:1: no such head: the head is _.*"trees"'):
        list(ConllReader().read(path))


def test_the_treebank_has_the_trees_of_its_description():
    instances = list(ConllReader(projective=True).read(wescience("dev.conll")))
    assert len(instances) == 566
    relations = {relation for instance in instances for relation in instance["relations"].labels}
    # Its description counts the labels of arcs between tokens; that of the root is one more.
    assert len(relations) in (45, 46)
    assert sum(len(instance["tokens"]) for instance in instances) == 11468


def test_a_sentence_without_deps_has_an_empty_graph_where_the_file_has_graphs(tmp_path):
    path = tmp_path / "a.conllu"
    without = "1\tHello\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    path.write_text(without + without.replace("\t_\t_\n", "\t0:root\t_\n"))
    reader = ConllReader(trees=False, enhanced_graph=True)
    empty, other = reader.read(path)
    assert (empty["graph"].indices, empty["tops"].labels) == ([], [0])
    assert other["tops"].labels == [1]
    path.write_text(without)
    with pytest.raises(ValueError, match="a.conllu:1: .*DEPS is _ for every token"):
        list(reader.read(path))


def test_columns_that_the_file_says_are_others_are_not_read(tmp_path):
    path = tmp_path / "a.conllup"
    row = "1\tHello\t_\t_\t_\t_\t0\troot\t_\t_\n\n"
    path.write_text(
        "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC\n" + row
    )
    assert len(list(ConllReader().read(path))) == 1
    path.write_text(
        "# global.columns = ID FORM UPOS LEMMA XPOS FEATS HEAD DEPREL DEPS MISC\n" + row
    )
    for on_error in ("raise", "skip"):
        with pytest.raises(ValueError, match="a.conllup:2: columns that are not those of CoNLL-U"):
            list(ConllReader(on_error=on_error).read(path))
