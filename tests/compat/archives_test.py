"""
Archives from elsewhere are loaded as data, through each way to load one; those of before load.

All kinds through all ways: `pytest -m slow tests/compat/archives_test.py`.
"""

import http.server
import importlib
import logging
import math
import os
import random
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
from pathlib import Path

import pytest
import torch
from allennlp.commands.evaluate import evaluate_from_archive
from allennlp.common import FromParams, Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import Vocabulary
from allennlp.models import Model, load_archive
from allennlp.models.archival import extracted_archive
from allennlp.predictors import Predictor

from spigot_allennlp.callbacks.self_contained import spell_out
from spigot_allennlp.compat import unpacking
from spigot_allennlp.compat.archive_contents import Weights
from spigot_allennlp.compat.restrictions import Restrictions, allocations_for, restricted
from spigot_allennlp.compat.unpacking import Refused
from spigot_allennlp.modules.sentence_encoder import SentenceEncoder
from tests.compat.hostile_archives import (
    EVERY,
    EXPERIMENTS,
    FIRST,
    READER,
    SLOW,
    UNPACKED,
    WORDS,
    filled,
    link,
    make_harmless,
    member,
    pack,
    parts_of,
    popen,
)
from tests.predictors.predict_command import lines, predict

DATA = "synthetic:size=2,seed=5"


@pytest.fixture(scope="session")
def harmless(tmp_path_factory):
    # Imported late otherwise, in some test: torch's compiler then makes a folder for its cache.
    importlib.import_module("transformers.models.bert.modeling_bert")
    return make_harmless(tmp_path_factory.mktemp("harmless"))


@pytest.fixture(scope="session")
def server():
    """The URL of a server, and the list of what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}", asked
    server.shutdown()


@pytest.fixture
def parts(harmless, server, tmp_path, monkeypatch):
    """What hostile archives are made of. After the test, nothing is there that was not before."""
    outside, temporary = tmp_path / "outside", tmp_path / "temporary"
    outside.mkdir(), temporary.mkdir()
    (outside / "secret.json").write_text('{"secret": "open sesame"}')
    (outside / "config.json").write_text('{"model_type": "bert", "vocab_size": 3}')
    (outside / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\n")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(unpacking, "SMALL", 2**21)  # what may be packed however well
    before = sorted(outside.iterdir())
    address, asked = server
    yield parts_of(harmless, outside, address)
    assert sorted(outside.iterdir()) == before, "something was written"
    assert not list(temporary.iterdir()), "something was left behind"
    assert not asked, "something was fetched"


def written(tmp_path, name, data):
    path = tmp_path / f"{name}.tar.gz"
    path.write_bytes(data)
    return str(path)


def by_command(archive, parts):
    text = lines({"words": ["The", "hero", "slept", "."]})
    return predict(archive, parts.outside.parent, text, "--predictor", "parser")


class Holder(FromParams):
    """Takes a part of an archived model, as any constructor can."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self.encoder = encoder


def extract_module(archive, parts):
    part = {"_pretrained": {"archive_file": archive, "module_path": "encoder"}}
    return Holder.from_params(Params({"encoder": part}))


def as_a_part(kind):
    def load(archive, parts):
        part = {"type": kind, "archive_file": archive}
        return Model.from_params(Params(part), vocab=Vocabulary())

    return load


def within_another(archive, parts):
    outer = parts.with_config(model={"type": "from_archive", "archive_file": archive})
    return load_archive(written(parts.outside.parent, "outer", outer))


def extract(archive, parts):
    with extracted_archive(archive):
        pass


WAYS_TO_LOAD = {
    "load_archive": lambda archive, _: load_archive(archive),
    "predictor": lambda archive, _: Predictor.from_path(archive, predictor_name="parser"),
    "model": lambda archive, _: Model.from_archive(archive),
    "from_archive": as_a_part("from_archive"),
    "pretrained": as_a_part("pretrained"),
    "extract_module": extract_module,
    "within_another": within_another,
    "predict": by_command,
    "evaluate": lambda archive, _: evaluate_from_archive(archive, f'"{DATA}"'),
}
WAYS_TO_UNPACK = {
    "extracted_archive": extract,
    "file": lambda archive, _: cached_path(f"{archive}!vocabulary", extract_archive=True),
    "vocabulary": lambda archive, _: Vocabulary.from_files(archive),
    "from_files": lambda archive, _: Vocabulary.from_params(
        Params({"type": "from_files", "directory": f"{archive}!vocabulary"})
    ),
    "spelled_out": lambda archive, _: spell_out(
        {"type": "pretrained", "archive_file": archive}, Vocabulary()
    ),
}


def refused(parts, tmp_path, kind, load):
    """Loads an archive of that kind; what must be the message says why not."""
    make, reason = EVERY[kind]
    archive = written(tmp_path, kind, make(parts))
    # a command ends with the message, and no trace
    with pytest.raises((ConfigurationError, SystemExit)) as error:
        load(archive, parts)
    message = str(error.value)
    # of an archive within another, either may be the first to have asked for too much
    assert archive in message or f"{tmp_path}/outer.tar.gz" in message
    assert "open sesame" not in message and len(message) < 3000
    return message, reason


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.slow] if kind in SLOW else []) for kind in EVERY],
)
def test_a_hostile_archive_is_refused_and_named(parts, tmp_path, kind):
    load = extract if kind in UNPACKED else WAYS_TO_LOAD["load_archive"]
    message, reason = refused(parts, tmp_path, kind, load)
    assert re.search(reason, message, re.DOTALL), message


@pytest.mark.parametrize("kind", ["traversal", "reader_that_runs"])
@pytest.mark.parametrize("way", WAYS_TO_LOAD)
def test_it_is_refused_by_each_way_to_load(parts, tmp_path, kind, way):
    refused(parts, tmp_path, kind, WAYS_TO_LOAD[way])


@pytest.mark.parametrize("kind", ["through_a_link", "flipped"])
@pytest.mark.parametrize("way", WAYS_TO_UNPACK)
def test_it_is_refused_by_each_way_to_unpack(parts, tmp_path, kind, way):
    refused(parts, tmp_path, kind, WAYS_TO_UNPACK[way])


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS_TO_LOAD)
@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_is_refused_by_every_way_to_load(parts, tmp_path, kind, way):
    refused(parts, tmp_path, kind, WAYS_TO_LOAD[way])


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS_TO_UNPACK)
@pytest.mark.parametrize("kind", UNPACKED)
def test_every_kind_is_refused_by_every_way_to_unpack(parts, tmp_path, kind, way):
    refused(parts, tmp_path, kind, WAYS_TO_UNPACK[way])


@pytest.mark.slow
@pytest.mark.parametrize("way", [way for way in WAYS_TO_LOAD if way != "pretrained"])
def test_a_harmless_archive_is_loaded_by_each_way(parts, harmless, way):
    WAYS_TO_LOAD[way](str(harmless), parts)


def test_a_harmless_archive_is_evaluated_and_may_be_within_another(parts, harmless):
    WAYS_TO_LOAD["evaluate"](str(harmless), parts)
    WAYS_TO_LOAD["within_another"](str(harmless), parts)


@pytest.mark.slow
@pytest.mark.parametrize("experiment", sorted(path.stem for path in EXPERIMENTS.glob("*.jsonnet")))
def test_an_archive_as_allennlp_writes_it_has_the_weights_that_were_packed(tmp_path, experiment):
    state = load_archive(make_harmless(tmp_path, experiment)).model.state_dict()
    saved = torch.load(tmp_path / "best.th")
    assert state.keys() == saved.keys()
    assert all(torch.equal(state[name], saved[name]) for name in saved)


def test_no_flipped_bit_changes_the_weights(parts, harmless, tmp_path):
    expected = load_archive(harmless).model.state_dict()
    generator = random.Random(13)
    loaded = 0
    for number in range(40):
        packed = bytearray(harmless.read_bytes())
        packed[generator.randrange(len(packed))] ^= 1 << generator.randrange(8)
        try:
            archive = load_archive(written(tmp_path, f"flip{number}", bytes(packed)))
        except ConfigurationError:
            continue
        loaded += 1  # a bit of the header of gzip, its date say
        state = archive.model.state_dict()
        assert all(torch.equal(state[name], expected[name]) for name in expected)
    assert loaded < 5


def loadable(parts, tmp_path, data):
    return load_archive(written(tmp_path, "loadable", data))


def test_an_archive_need_not_be_compressed_and_its_names_may_begin_with_a_dot(parts, tmp_path):
    members = [member(f"./{name}", data) for name, data in parts.files.items()]
    loadable(parts, tmp_path, pack(members, mode="w"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_to_a_file_before_it_is_that_file(parts, tmp_path, kind):
    files = {**parts.files, "best.th": parts.files["weights.th"]}
    del files["weights.th"]
    members = [member(name, data) for name, data in files.items()]
    loadable(parts, tmp_path, pack([*members, link("weights.th", "best.th", kind)]))


def test_files_that_a_run_includes_are_unpacked_the_last_of_one_name(parts, tmp_path):
    extra = [member("notes/a.txt", b"first"), member("notes/a.txt", b"second")]
    with extracted_archive(written(tmp_path, "extra", parts.packed(members=extra))) as folder:
        assert Path(folder, "notes", "a.txt").read_text() == "second"


def test_weights_of_before_torch_1_6_are_read(parts, tmp_path):
    old = parts.with_weights(dict, _use_new_zipfile_serialization=False)
    loadable(parts, tmp_path, old)


def test_a_class_by_its_path_is_taken_where_it_is_of_the_kind(parts, tmp_path):
    path = "spigot_allennlp.structures.semantic_graph.SemanticGraph"
    loadable(parts, tmp_path, parts.with_config(**{"model.structure": {"type": path}}))


def test_numbers_are_what_jsonnet_made_of_them(parts, tmp_path):
    data = parts.with_config(**{WORDS + ".embedding_dim": 16.0})
    assert loadable(parts, tmp_path, data).config["model"]["encoder"]


def test_initial_values_are_not_looked_for(parts, tmp_path):
    vectors = str(parts.outside / "secret.json")
    changed = {WORDS + ".pretrained_file": vectors, "model.initializer": popen(parts)}
    loadable(parts, tmp_path, parts.with_config(**changed))


def test_what_the_user_overrides_is_not_restricted(parts, tmp_path, harmless):
    nested = parts.with_config(model={"type": "from_archive", "archive_file": "http://x/y"})
    outer = written(tmp_path, "outer", nested)
    load_archive(outer, overrides={"model.archive_file": str(harmless)})
    hostile = written(tmp_path, "popen", parts.with_config(**{READER: popen(parts)}))
    with pytest.raises(ConfigurationError, match="outer.*popen.*TokenIndexer"):
        load_archive(outer, overrides={"model.archive_file": hostile})


def test_a_folder_of_ones_own_may_have_jsonnet(parts, harmless, tmp_path):
    folder = tmp_path / "run"
    with extracted_archive(str(harmless)) as extracted:
        shutil.copytree(extracted, folder)
    config = folder / "config.json"
    config.write_text("local own = 1; " + config.read_text())
    load_archive(folder)


def test_weights_that_are_not_finite_are_named_in_a_warning(parts, tmp_path, caplog):
    data = parts.with_weights(filled(math.nan))
    with caplog.at_level(logging.WARNING):
        loadable(parts, tmp_path, data)
    assert re.search(f"loadable.tar.gz: of its weights .*{FIRST}", caplog.text)


def test_what_is_made_of_the_config_after_loading_is_restricted_too(parts, tmp_path):
    archive = written(tmp_path, "later", parts.with_config(data_loader=popen(parts)))
    load_archive(archive)
    with pytest.raises(ConfigurationError, match="later.tar.gz cannot be used: .*no DataLoader"):
        evaluate_from_archive(archive, f'"{DATA}"')


def test_a_limit_of_ones_own_lets_in_what_is_large(parts, tmp_path, monkeypatch):
    bomb = written(tmp_path, "bomb", UNPACKED["bomb"][0](parts))
    monkeypatch.setenv("SPIGOT_ALLENNLP_ARCHIVE_GIB", "0.3")
    load_archive(bomb)
    monkeypatch.setenv("SPIGOT_ALLENNLP_ARCHIVE_GIB", "many")
    with pytest.raises(ConfigurationError, match="must be a number of GiB, but is 'many'"):
        load_archive(bomb)


def test_a_path_of_the_config_is_opened_where_the_user_allows_it(tmp_path, monkeypatch):
    named = tmp_path / "data" / "file"
    restrictions = Restrictions("x", {"a": str(tmp_path / "data")}, folder=str(tmp_path / "own"))
    with pytest.raises(Refused, match="SPIGOT_ALLENNLP_ARCHIVE_PATHS"):
        restrictions.check_path(named)
    restrictions.check_path(tmp_path / "own" / "data")
    restrictions.check_path(tmp_path / "datafile")
    monkeypatch.setenv("SPIGOT_ALLENNLP_ARCHIVE_PATHS", f"{tmp_path / 'data'}{os.pathsep}/x")
    Restrictions("x", {"a": str(tmp_path / "data")}, folder="/own").check_path(named)


def test_no_process_is_started_while_a_model_is_made(parts):
    with restricted(Restrictions("x", {}, folder=str(parts.outside))):
        for start in (subprocess.run, os.system):
            with pytest.raises(Refused, match="another process"):
                start(parts.touch() if start is subprocess.run else " ".join(parts.touch()))
    subprocess.run(["true"], check=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(10**6, 10**6),
        lambda: torch.FloatTensor(10**6, 10**6),
        lambda: torch.zeros(1).expand(10**12).clone(),
        lambda: torch.ones(10**6, 1) * torch.ones(1, 10**6),
        lambda: torch.arange(10**12),
        lambda: torch.eye(10**6),
        lambda: torch.zeros(1).repeat(10**12),
        lambda: torch.empty(0).resize_(10**12),
        lambda: torch.nn.LSTM(1, 10**6),
        lambda: [torch.empty(2**23) for _ in range(1000)],
    ],
)
def test_a_tensor_that_the_weights_cannot_fill_is_refused_before_it_is_made(make):
    weights = Weights(bytes=1000, largest=100, longest=10, number=3, dtypes={})
    with allocations_for(weights, Restrictions("x", {})), pytest.raises(Refused, match="fill"):
        make()
    with allocations_for(weights, Restrictions("x", {})):
        torch.nn.init.orthogonal_(torch.nn.LSTM(8, 8).weight_hh_l0)
