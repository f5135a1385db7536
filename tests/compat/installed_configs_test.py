import json
import runpy
import zipfile
from pathlib import Path

import pytest
import setuptools
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.plugins import discover_plugins

from spigot_allennlp.compat import installed_configs
from spigot_allennlp.compat.installed_configs import PREFIX, description, folder, names, resolved

SPIGOT = "syntactic_then_semantic/spigot.jsonnet"


def test_the_name_of_a_config_stands_for_its_file_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = Params.from_file(PREFIX + SPIGOT).as_dict()
    assert named == Params.from_file(str(folder() / SPIGOT)).as_dict()
    assert named["model"]["argmax"]["estimator"]["type"] == "spigot"


def test_other_paths_stay_as_they_are():
    path = Path("a/b.jsonnet")
    assert resolved(path) is path
    assert resolved("models/spigot_allennlp:x.jsonnet") == "models/spigot_allennlp:x.jsonnet"


def test_a_misspelt_name_is_answered_with_those_alike():
    with pytest.raises(ConfigurationError, match="'copyng/full.jsonnet'.*copying/full.jsonnet"):
        Params.from_file(PREFIX + "copyng/full.jsonnet")
    with pytest.raises(ConfigurationError, match="nowhere.jsonnet"):
        Params.from_file("nowhere.jsonnet")


def test_all_configs_have_a_name_and_a_description():
    config_names = names()
    assert SPIGOT in config_names and "ablations/estimators.libsonnet" in config_names
    assert not any(name.startswith("common/") for name in config_names)
    for name in config_names:
        assert description(name).endswith((".", ":")), name
    assert description(SPIGOT).endswith("(Peng et al., 2018).")


def test_an_installed_package_has_its_configs_within(tmp_path, monkeypatch):
    package = tmp_path / "spigot_allennlp"
    monkeypatch.setattr(installed_configs, "__file__", str(package / "compat" / "x.py"))
    assert folder() == tmp_path / "training_config"
    (package / "training_config" / "copying").mkdir(parents=True)
    (package / "training_config" / "copying" / "mine.jsonnet").write_text("// Mine. Or not.\n{}")
    assert folder() == package / "training_config"
    assert names() == ["copying/mine.jsonnet"]
    assert description("copying/mine.jsonnet") == "Mine."


def test_files_are_added_to_a_wheel_and_to_its_list(tmp_path, monkeypatch):
    monkeypatch.setattr(setuptools, "setup", lambda **options: None)
    setup_script = runpy.run_path(str(Path(__file__).parents[2] / "setup.py"))
    added = setup_script["configs"]()
    assert added[f"spigot_allennlp/training_config/{SPIGOT}"] == (folder() / SPIGOT).read_bytes()
    wheel = tmp_path / "spigot_allennlp-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("spigot_allennlp-0.dist-info/RECORD", "a,,\n")
    setup_script["add_files"](wheel, {"empty": b"", "x/y": b"abc"})
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("x/y") == b"abc"
        rows = archive.read("spigot_allennlp-0.dist-info/RECORD").decode().splitlines()
    # The digests of no bytes and of "abc" as published for SHA-256, in base64 without padding.
    assert rows == [
        "empty,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0",
        "x/y,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3",
        "a,,",
    ]


def test_the_package_is_a_plugin_once_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(discover_plugins()).count("spigot_allennlp") == 1
    Path(".allennlp_plugins").write_text("json\nspigot_allennlp\n")
    assert list(discover_plugins())[:2] == ["spigot_allennlp", "json"]


def test_variants_of_the_package_are_found_by_name(tmp_path):
    from spigot_allennlp.ablation.plan.make_plan import read_variants_file

    file = "ablations/estimators.libsonnet"
    (named,), (by_path,) = (read_variants_file(place + file) for place in (PREFIX, f"{folder()}/"))
    assert [choice.overrides for choice in named] == [choice.overrides for choice in by_path]
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"a": {"config": PREFIX + SPIGOT}}))
    assert read_variants_file(str(own))[0][0].config == PREFIX + SPIGOT
