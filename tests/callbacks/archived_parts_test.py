"""Configs of models that came from archives, which hold models that came from archives."""

import json
import tarfile

import pytest
from allennlp.data import Vocabulary

from spigot_allennlp.callbacks.archived_parts import read_vocabulary, spell_out

WORDS = ["tree", "graph"]
TOWER = {"type": "tower", "dim": 3}


def vocabulary_of(*words, oov_token="@@UNKNOWN@@"):
    return Vocabulary(tokens_to_add={"tokens": list(words)}, oov_token=oov_token)


@pytest.fixture
def archive(tmp_path):
    """Makes an archive of a model's config and of a vocabulary, or the folder of a run."""

    def make(name, model, words=WORDS, packed=True, **config):
        folder = tmp_path / name
        vocabulary_of(*words, **config.get("vocabulary", {})).save_to_files(folder / "vocabulary")
        (folder / "config.json").write_text(json.dumps({"model": model, **config}))
        if not packed:
            return {"type": "pretrained", "archive_file": str(folder)}
        with tarfile.open(folder / "model.tar.gz", "w:gz") as file:
            file.add(folder / "config.json", "config.json")
            file.add(folder / "vocabulary", "vocabulary")
        return {"type": "from_archive", "archive_file": str(folder / "model.tar.gz")}

    return make


@pytest.mark.parametrize("packed", [True, False])
def test_a_part_is_replaced_wherever_it_is(archive, packed):
    part = archive("tower", TOWER, packed=packed)
    config = {"type": "city", "north": {"towers": [part, {"type": "hut"}]}, "south": part, "n": 2}
    expected = {"type": "city", "north": {"towers": [TOWER, {"type": "hut"}]}, "south": TOWER}
    before = json.dumps(config)
    assert spell_out(config, vocabulary_of(*WORDS)) == {**expected, "n": 2}
    assert json.dumps(config) == before
    assert spell_out(part, vocabulary_of(*WORDS)) == TOWER


def test_the_config_of_an_archive_may_name_another_archive(archive):
    inner = archive("inner", TOWER, words=WORDS[:1])
    outer = archive("outer", {"type": "street", "first": inner})
    model = {"type": "city", "street": outer}
    spelled = {"type": "city", "street": {"type": "street", "first": TOWER}}
    assert spell_out(model, vocabulary_of(*WORDS, "tops")) == spelled


def test_what_is_read_for_the_weights_alone_is_left_out_of_an_archive_s_config(archive):
    embedder = {"type": "embedding", "pretrained_file": "gone.txt"}
    tower = {**TOWER, "embedder": embedder, "initializer": {"regexes": []}}
    config = {"tower": archive("tower", tower), "embedder": embedder}
    assert spell_out(config, vocabulary_of(*WORDS)) == {
        "tower": {**TOWER, "embedder": {"type": "embedding"}},
        "embedder": embedder,
    }


@pytest.mark.parametrize("ours", [["graph", "tree"], ["tree"]])
def test_a_part_that_numbers_words_otherwise_stays_with_a_warning(archive, caplog, ours):
    config = {"tower": archive("tower", TOWER)}
    assert spell_out(config, vocabulary_of(*ours)) == config
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "model.tower still needs" in record.message and "'tokens'" in record.message
    assert "vocabulary: {type: 'extend'" in record.message


def test_a_module_that_is_taken_from_an_archive_stays_with_a_warning(caplog):
    config = {"tower": {"_pretrained": {"archive_file": "tower.tar.gz", "path": "encoder"}}}
    assert spell_out(config, vocabulary_of()) == config
    assert "model.tower still needs" in caplog.text and "tower.tar.gz" in caplog.text


def test_a_vocabulary_is_read_with_the_special_tokens_of_its_config(archive):
    options = {"vocabulary": {"type": "from_instances", "oov_token": "<unk>"}}
    part = archive("tower", TOWER, packed=False, vocabulary={"oov_token": "<unk>"})
    found = read_vocabulary(part["archive_file"], options)
    assert found._oov_token == "<unk>" and found.get_token_index("tree") == 2
    assert spell_out(part, vocabulary_of(*WORDS, oov_token="<unk>")) == TOWER
