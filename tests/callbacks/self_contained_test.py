"""A model with a part from an archive, archived itself, and loaded when the first is gone."""

import errno
import json
import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from allennlp.commands.evaluate import evaluate_from_archive
from allennlp.commands.train import train_model, train_model_from_file
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import sanitize
from allennlp.data import Vocabulary
from allennlp.models.archival import load_archive
from allennlp.training import TrainerCallback

from spigot_allennlp.callbacks.self_contained import SelfContained, read_vocabulary, spell_out

EXPERIMENTS = Path(__file__).parents[2] / "fixtures" / "experiments"
DATA = "synthetic:size=12,seed=5"
# These sentences have new words, but no new relations or roles.
MORE_DATA = "synthetic:size=6,seed=14"
ORIGINAL, CONFIG = "config_as_given.json", "config.json"

# Models, with the parser that each begins with, and its name within.
PARTS = {
    "syntactic_then_semantic": ("syntactic_parser", "syntactic_parser"),
    "semantic_then_sentiment": ("semantic_parser", "parser"),
}


def config_with(archive, experiment, part):
    """A joint model that begins with the parser of an archive."""
    overrides = {
        "vocabulary": {"type": "extend", "directory": archive + "!vocabulary"},
        "train_data_path": MORE_DATA,
        f"model.{part}": {"type": "pretrained", "archive_file": archive},
        "trainer.callbacks": ["self_contained"],
    }
    return Params.from_file(str(EXPERIMENTS / f"{experiment}.jsonnet"), overrides)


@pytest.fixture(scope="module", params=list(PARTS))
def run(request, tmp_path_factory):
    """The joint model after its one epoch; the folder of the parser has been moved."""
    here = tmp_path_factory.mktemp("self_contained")
    parser, part = PARTS[request.param]
    train_model_from_file(str(EXPERIMENTS / f"{parser}.jsonnet"), str(here / "parser"))
    archive = str(here / "parser" / "model.tar.gz")
    params = config_with(archive, request.param, part)
    model = train_model(params.duplicate(), str(here / "joint"))
    shutil.move(here / "parser", here / "moved")
    return SimpleNamespace(
        model=model, folder=here / "joint", params=params, archive=archive, part=part
    )


@pytest.fixture
def unfinished(run, tmp_path):
    """A run like that, with the parser in its place, up to the end of its training."""
    shutil.copytree(run.folder.parent / "moved", run.folder.parent / "parser")
    shutil.copytree(run.folder, tmp_path / "joint")
    (tmp_path / "joint" / ORIGINAL).rename(tmp_path / "joint" / CONFIG)
    yield tmp_path / "joint"
    shutil.rmtree(run.folder.parent / "parser")


def read(folder, name):
    return json.loads((folder / name).read_text())


def callback_on(folder, is_primary=True):
    callback = TrainerCallback.from_params(
        Params({"type": "self_contained"}), serialization_dir=str(folder)
    )
    assert isinstance(callback, SelfContained)
    callback.on_start(SimpleNamespace(), is_primary=is_primary)
    return callback


def test_the_archive_gives_what_the_trained_model_gives_without_the_other_archive(run):
    archive = load_archive(run.folder / "model.tar.gz")
    run.model.eval(), archive.model.eval()
    instances = [*archive.dataset_reader.read(DATA), *archive.dataset_reader.read(MORE_DATA)]
    for instance in instances:
        archive.dataset_reader.apply_token_indexers(instance)
        archived, trained = (
            sanitize(model.forward_on_instance(instance)) for model in (archive.model, run.model)
        )
        assert archived == trained
    with pytest.raises(FileNotFoundError):
        load_archive(run.archive)


def test_evaluating_the_archive_gives_the_metrics_of_the_validation(run, tmp_path):
    archive, output = str(run.folder / "model.tar.gz"), str(tmp_path / "metrics.json")
    metrics = evaluate_from_archive(archive, f'"{DATA}"', output)
    expected = read(run.folder, "metrics.json")
    assert metrics == {name: expected[f"validation_{name}"] for name in metrics}


def test_the_config_names_no_other_archive_and_the_one_that_was_given_is_kept(run):
    as_given, spelled_out = read(run.folder, ORIGINAL), read(run.folder, CONFIG)
    assert as_given == run.params.as_dict(quiet=True)
    parser = spelled_out["model"].pop(run.part)
    assert parser["type"].endswith("_parser") and "initializer" not in parser
    del as_given["model"][run.part]
    assert spelled_out == as_given


def test_after_the_end_the_run_is_recovered_by_the_config_as_it_was_given(run, unfinished):
    shutil.copy(run.folder / CONFIG, unfinished)
    shutil.copy(run.folder / ORIGINAL, unfinished)
    train_model(run.params.duplicate(), str(unfinished), recover=True)
    assert read(unfinished, CONFIG) == read(run.folder, CONFIG)


def test_another_config_is_refused_by_the_name_of_the_key(run, unfinished):
    params = run.params.duplicate()
    params["model"]["something_new"] = 1
    with pytest.raises(ConfigurationError, match="model.something_new was not there and is now 1"):
        train_model(params, str(unfinished), recover=True)


def test_with_the_given_config_in_its_place_the_end_of_a_run_is_recovered(run, unfinished):
    (unfinished / "model.tar.gz").unlink()
    train_model(run.params.duplicate(), str(unfinished), recover=True)
    assert read(unfinished, CONFIG) == read(run.folder, CONFIG)
    assert (unfinished / "model.tar.gz").exists()


def test_the_other_archive_may_go_while_training_goes_on(run, unfinished):
    callback = callback_on(unfinished)
    shutil.rmtree(run.folder.parent / "parser")
    callback.on_end(SimpleNamespace(), metrics={})
    (run.folder.parent / "parser").mkdir()
    assert read(unfinished, CONFIG) == read(run.folder, CONFIG)
    assert read(unfinished, ORIGINAL) == read(run.folder, ORIGINAL)


def test_an_interrupted_run_keeps_the_config_that_was_given(unfinished):
    before = sorted(path.name for path in unfinished.iterdir()), read(unfinished, CONFIG)
    callback_on(unfinished).on_end(SimpleNamespace(), metrics=None)
    assert (sorted(path.name for path in unfinished.iterdir()), read(unfinished, CONFIG)) == before


def test_of_several_processes_one_writes(unfinished):
    callback_on(unfinished, is_primary=False).on_end(
        SimpleNamespace(), metrics={}, is_primary=False
    )
    assert not (unfinished / ORIGINAL).exists()


def test_a_config_by_which_the_model_cannot_be_loaded_is_not_written(unfinished, caplog):
    before = read(unfinished, CONFIG)
    (unfinished / "best.th").unlink()
    callback_on(unfinished).on_end(SimpleNamespace(), metrics={})
    assert read(unfinished, CONFIG) == before and not (unfinished / ORIGINAL).exists()
    assert "will need those it names" in caplog.text


@pytest.mark.parametrize("full", [ORIGINAL, CONFIG])
def test_a_disk_that_is_full_does_not_end_the_training(unfinished, monkeypatch, caplog, full):
    before = read(unfinished, CONFIG)

    def write_until_full(path, text):
        if path.name == full:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        path.write_text(text)

    monkeypatch.setattr("spigot_allennlp.callbacks.self_contained.write", write_until_full)
    callback_on(unfinished).on_end(SimpleNamespace(), metrics={})
    assert read(unfinished, CONFIG) == before
    assert "will need those it names" in caplog.text and "No space left" in caplog.text


def test_a_run_that_names_no_archive_keeps_its_config(run):
    parser = run.folder.parent / "moved"
    before = (parser / CONFIG).read_text()
    callback_on(parser).on_end(SimpleNamespace(), metrics={})
    assert (parser / CONFIG).read_text() == before and not (parser / ORIGINAL).exists()


def test_without_a_config_file_nothing_happens(tmp_path):
    callback_on(tmp_path).on_end(SimpleNamespace(), metrics={})
    assert not list(tmp_path.iterdir())


# Configs of models that came from archives, which hold models that came from archives.
WORDS = ["tree", "graph"]
ENCODER = {"type": "encoder", "dim": 3}


def vocabulary_of(*words, oov_token="@@UNKNOWN@@"):
    return Vocabulary(tokens_to_add={"tokens": list(words)}, oov_token=oov_token)


@pytest.fixture
def make_archive(tmp_path):
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
def test_a_part_is_replaced_wherever_it_is(make_archive, packed):
    part = make_archive("encoder", ENCODER, packed=packed)
    config = {"type": "city", "north": {"parts": [part, {"type": "hut"}]}, "south": part, "n": 2}
    expected = {"type": "city", "north": {"parts": [ENCODER, {"type": "hut"}]}, "south": ENCODER}
    before = json.dumps(config)
    assert spell_out(config, vocabulary_of(*WORDS)) == {**expected, "n": 2}
    assert json.dumps(config) == before
    assert spell_out(part, vocabulary_of(*WORDS)) == ENCODER


def test_the_config_of_an_archive_may_name_another_archive(make_archive):
    inner = make_archive("inner", ENCODER, words=WORDS[:1])
    outer = make_archive("outer", {"type": "street", "first": inner})
    model = {"type": "city", "street": outer}
    spelled = {"type": "city", "street": {"type": "street", "first": ENCODER}}
    assert spell_out(model, vocabulary_of(*WORDS, "tops")) == spelled


def test_what_is_read_for_the_weights_alone_is_removed_from_an_archive_s_config(make_archive):
    embedder = {"type": "embedding", "pretrained_file": "gone.txt"}
    encoder = {**ENCODER, "embedder": embedder, "initializer": {"regexes": []}}
    config = {"encoder": make_archive("encoder", encoder), "embedder": embedder}
    assert spell_out(config, vocabulary_of(*WORDS)) == {
        "encoder": {**ENCODER, "embedder": {"type": "embedding"}},
        "embedder": embedder,
    }


@pytest.mark.parametrize("ours", [["graph", "tree"], ["tree"]])
def test_a_part_that_numbers_words_otherwise_stays_with_a_warning(make_archive, caplog, ours):
    config = {"encoder": make_archive("encoder", ENCODER)}
    assert spell_out(config, vocabulary_of(*ours)) == config
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "model.encoder still needs" in record.message and "'tokens'" in record.message
    assert "vocabulary: {type: 'extend'" in record.message


def test_an_initializer_of_weights_stays_beside_a_part_from_an_archive(make_archive):
    weights = {"type": "pretrained", "weights_file_path": "other/best.th"}
    initializer = {"regexes": [["encoder.*", weights]]}
    config = {"encoder": make_archive("encoder", ENCODER), "initializer": initializer}
    assert spell_out(config, vocabulary_of(*WORDS)) == {
        "encoder": ENCODER,
        "initializer": initializer,
    }


def test_a_module_that_is_taken_from_an_archive_stays_with_a_warning(caplog):
    config = {"encoder": {"_pretrained": {"archive_file": "encoder.tar.gz", "path": "encoder"}}}
    assert spell_out(config, vocabulary_of()) == config
    assert "model.encoder still needs" in caplog.text and "encoder.tar.gz" in caplog.text


def test_a_vocabulary_is_read_with_the_special_tokens_of_its_config(make_archive):
    options = {"vocabulary": {"type": "from_instances", "oov_token": "<unk>"}}
    part = make_archive("encoder", ENCODER, packed=False, vocabulary={"oov_token": "<unk>"})
    vocabulary = read_vocabulary(part["archive_file"], options)
    assert vocabulary._oov_token == "<unk>" and vocabulary.get_token_index("tree") == 2
    assert spell_out(part, vocabulary_of(*WORDS, oov_token="<unk>")) == ENCODER
