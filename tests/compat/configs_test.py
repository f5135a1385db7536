"""Which data a config's variables name, and what is said of a config that cannot be read."""

import json
import sys
from pathlib import Path

import pytest
from allennlp.commands import main
from allennlp.common import FromParams, Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model, load_archive
from allennlp.modules import Seq2SeqEncoder

from spigot_allennlp.ablation.plan.make_plan import make_plan, read_axes
from spigot_allennlp.compat import configs, registration
from spigot_allennlp.compat.configs import DEFAULTS, first_difference
from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.estimators import GradientEstimator

ROOT = Path(__file__).parents[2]
CONFIG = """
local unused = std.extVar('SPIGOT_CONLL_TRAIN');
{
  dataset_reader: { type: 'sdp' },
  train_data_path: std.extVar('SPIGOT_SDP_TRAIN'),
  validation_data_path: std.extVar('SPIGOT_SDP_DEV') + '#held_out',
  model: { pretrained_file: std.extVar('SPIGOT_EMBEDDINGS') },
}
"""


@pytest.fixture
def config(tmp_path):
    """A config that asks for every variable that has a default."""
    file = tmp_path / "config.jsonnet"
    rows = [f"{json.dumps(name)}: std.extVar({json.dumps(name)})" for name in DEFAULTS]
    file.write_text("{" + ", ".join(rows) + "}")
    return str(file)


@pytest.fixture
def parser(tmp_path):
    file = tmp_path / "parser.jsonnet"
    file.write_text(CONFIG)
    return str(file)


@pytest.fixture(autouse=True)
def no_variable_is_set(monkeypatch):
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(configs, "_logged", set())


def test_a_variable_that_is_not_set_has_its_default(config):
    assert Params.from_file(config).as_dict() == DEFAULTS


def test_the_environment_wins(parser, monkeypatch):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "synthetic:size=3")
    monkeypatch.setenv("SPIGOT_EMBEDDINGS", "vectors.txt")
    params = Params.from_file(parser)
    assert params["train_data_path"] == "synthetic:size=3"
    assert params["model"]["pretrained_file"] == "vectors.txt"


def test_what_the_caller_passes_wins_over_the_environment(parser, monkeypatch):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "synthetic:size=3")
    params = Params.from_file(parser, ext_vars={"SPIGOT_SDP_TRAIN": "synthetic:size=4"})
    assert params["train_data_path"] == "synthetic:size=4"


def test_overrides_may_ask_for_variables(parser):
    params = Params.from_file(parser, "{model: {file: std.extVar('SPIGOT_SST_DEV')}}")
    assert params["model"]["file"] == DEFAULTS["SPIGOT_SST_DEV"]


def test_other_variables_are_still_asked_for(tmp_path):
    (tmp_path / "config.jsonnet").write_text("{a: std.extVar('NOBODY_SETS_THIS')}")
    with pytest.raises(Exception, match="NOBODY_SETS_THIS"):
        Params.from_file(str(tmp_path / "config.jsonnet"))


@pytest.mark.parametrize(
    "own, missing",
    [("SPIGOT_SDP_TRAIN", "SPIGOT_SDP_DEV"), ("SPIGOT_SDP_DEV", "SPIGOT_SDP_TRAIN")],
)
def test_embedded_data_are_not_mixed_with_others_because_a_variable_is_forgotten(
    parser, monkeypatch, own, missing
):
    monkeypatch.setenv(own, "own.sdp")
    with pytest.raises(ConfigurationError, match=f"{missing} is not set.* {own}=own.sdp") as error:
        Params.from_file(parser)
    name, _, value = str(error.value).rpartition("on purpose: ")[2].partition("=")
    monkeypatch.setenv(name, value)
    assert "own.sdp" in json.dumps(Params.from_file(parser).as_dict())


def test_data_of_the_overrides_count_as_well(parser):
    with pytest.raises(ConfigurationError, match="SPIGOT_SDP_DEV is not.*train_data_path own.sdp"):
        Params.from_file(parser, {"train_data_path": "own.sdp"})
    own = {"train_data_path": ["a.sdp", "b.sdp"], "validation_data_path": "dev.sdp"}
    assert Params.from_file(parser, own)["train_data_path"] == ["a.sdp", "b.sdp"]


def test_what_the_config_does_not_read_does_not_count(parser, monkeypatch, caplog):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "train.sdp")
    monkeypatch.setenv("SPIGOT_SDP_DEV", "dev.sdp")
    monkeypatch.setenv("SPIGOT_SST_DEV", "")
    Params.from_file(parser)
    assert not caplog.records


def test_a_run_on_embedded_data_says_so_once_and_names_what_it_reads(parser, caplog):
    Params.from_file(parser)
    Params.from_file(parser)
    (record,) = caplog.records
    assert record.getMessage().startswith("SPIGOT_SDP_DEV, SPIGOT_SDP_TRAIN are not set: the data")


def test_a_misspelt_variable_is_refused_where_the_config_reads_the_right_one(parser, monkeypatch):
    for misspelt in ("SPIGOT_SDP_TRIAN", "SPGIOT_SDP_TRAIN", "spigot_sdp_train", "SPIGOT_TRAIN"):
        with monkeypatch.context() as patch:
            patch.setenv(misspelt, "train.sdp")
            with pytest.raises(ConfigurationError, match=f"{misspelt} is set, but SPIGOT_SDP_TR"):
                Params.from_file(parser)


def test_another_unknown_variable_is_named_with_the_nearest(parser, monkeypatch, caplog):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "train.sdp")
    monkeypatch.setenv("SPIGOT_SDP_DEV", "dev.sdp")
    monkeypatch.setenv("SPIGOT_SDP_DEVEL", "other.sdp")
    monkeypatch.setenv("SPIGOT_ALLENNLP_STARTUP", "1")
    Params.from_file(parser)
    (record,) = caplog.records
    assert "SPIGOT_SDP_DEVEL is set, but" in record.getMessage()
    assert "SPIGOT_SDP_DEV." in record.getMessage()


def test_a_variable_that_the_config_reads_is_known_by_that(parser, monkeypatch, caplog):
    Path(parser).write_text(CONFIG.replace("_SDP_DEV", "_MY_DEV").replace("_SDP_TRAIN", "_MY_DEV"))
    monkeypatch.setenv("SPIGOT_MY_DEV", "dev.sdp")
    assert Params.from_file(parser)["train_data_path"] == "dev.sdp"
    assert not caplog.records


def test_an_empty_variable_is_refused_where_it_is_read(parser, monkeypatch):
    monkeypatch.setenv("SPIGOT_SDP_DEV", " ")
    with pytest.raises(ConfigurationError, match="SPIGOT_SDP_DEV is set, but empty"):
        Params.from_file(parser)


def test_an_ablation_looks_at_the_config_that_it_makes(parser, monkeypatch):
    text = Path(parser).read_text()
    metric = "trainer: { validation_metric: '+f1', optimizer: 'adam' }"
    Path(parser).write_text(text.replace("model:", f"{metric}, model:"))
    axes = read_axes(["trainer.optimizer=adam,sgd"], None)
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "train.sdp")
    with pytest.raises(ConfigurationError, match="SPIGOT_SDP_DEV is not set"):
        make_plan(parser, axes, [1])
    plan = make_plan(parser, axes, [1], '{"validation_data_path": "dev.sdp"}')
    assert {variant.config["validation_data_path"] for variant in plan.variants.values()} == {
        "dev.sdp"
    }


@pytest.mark.parametrize(
    "reader, path",
    [
        ("sdp", "/no/such"),
        ("conll", "/no/such"),
        ("sst", "/no/such"),
        ("mnist", "/no/such#train"),
        ("n_mnist", "/no/such#held_out"),
        ("spoken_digits", "/no/such#george"),
        ("pixel_sequence", "/no/such"),
        ("character_language_model", "/no/such"),
    ],
)
def test_a_file_that_is_not_there_is_traced_to_its_variable(reader, path, monkeypatch):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "/no/such")
    with pytest.raises(FileNotFoundError, match="SPIGOT_SDP_TRAIN=/no/such"):
        list(DatasetReader.by_name(reader)().read(path))


def test_an_archive_that_is_not_there_is_traced_to_its_variable(monkeypatch):
    monkeypatch.setenv("SPIGOT_ARCHIVE", "/no/such.tar.gz")
    with pytest.raises(Exception, match="SPIGOT_ARCHIVE=/no/such.tar.gz"):
        load_archive("/no/such.tar.gz")
    with pytest.raises(Exception, match="SPIGOT_ARCHIVE=/no/such.tar.gz"):
        Vocabulary.from_files("/no/such.tar.gz!vocabulary")


def test_the_command_refuses_before_it_makes_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIGOT_SDP_TRAIN", "train.sdp")
    config = ROOT / "training_config" / "semantic_parser" / "log_likelihood.jsonnet"
    command = ["allennlp", "train", str(config), "-s", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", [*command, "--include-package", "spigot_allennlp"])
    with pytest.raises(
        ConfigurationError, match="SPIGOT_SDP_DEV is not set.*SPIGOT_SDP_TRAIN=train.sdp"
    ):
        main()
    assert not (tmp_path / "run").exists()


CONFIGS = {
    "{a: 1 +}": ":1: ",
    "{\n  a: std.extVar('NO_SUCH_VARIABLE'),\n}": (
        ":2: The config asks for the variable NO_SUCH_VARIABLE, which is not set. Set it in the "
        "environment: NO_SUCH_VARIABLE=VALUE allennlp ..."
    ),
    "{\n\n  a: error 'because' }": ":3: because",
    "{a: import 'nowhere.libsonnet'}": ":1: ",
}


@pytest.mark.parametrize("text", CONFIGS)
def test_a_fault_is_named_with_its_line_and_no_trace(tmp_path, text):
    file = tmp_path / "config.jsonnet"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        Params.from_file(file)
    message = str(raised.value)
    assert message.startswith(f"{file}{CONFIGS[text]}") and "\n" not in message
    assert len(message) < 500


def test_a_name_of_this_package_asks_for_the_package(monkeypatch):
    assert "semantic_parser" in Model.list_available()
    monkeypatch.setattr(registration, "is_left_out", lambda: True)
    monkeypatch.delitem(Registrable._registry[Model], "semantic_parser")
    with pytest.raises(ConfigurationError, match="'semantic_parser' is a Model of spigot_allenn"):
        Model.by_name("semantic_parser")
    with pytest.raises(ConfigurationError, match="not a registered name"):
        Model.by_name("semantic_parzer")


@pytest.mark.parametrize(
    "before, after, difference",
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, "a.b was [1] and is now [2]"),
        ({"a": 1}, {}, "a was 1 and is now not there"),
        ({"a": {}}, {"a": {"b": None}}, "a.b was not there and is now None"),
    ],
)
def test_a_difference_is_named_by_its_path(before, after, difference):
    assert first_difference(before, after) == difference


@pytest.mark.parametrize(
    "kind, params, message",
    [
        (
            DatasetReader,
            {"type": "sdp", "compagnion": ".conll"},
            "Extra parameters passed to SdpReader: {'compagnion': '.conll'}, at "
            '"dataset_reader.compagnion". Is "companion" meant?',
        ),
        (
            DatasetReader,
            {"type": "conll", "max_instance": 3},  # of a base class
            "Extra parameters passed to ConllReader: {'max_instance': 3}, at "
            '"dataset_reader.max_instance". Is "max_instances" meant?',
        ),
        (
            Seq2SeqEncoder,
            {"type": "compose", "encoders": [{"type": "pass_through", "input_dim": 3, "input": 3}]},
            "Extra parameters passed to PassThroughEncoder: {'input': 3}, at "
            '"dataset_reader.encoders.0.input". Is "input_dim" meant?',
        ),
        (
            GradientEstimator,
            {"type": "pipeline", "xyz": 1},
            "Extra parameters passed to Pipeline: {'xyz': 1}, at \"dataset_reader.xyz\". "
            "It takes none.",
        ),
        (
            DatasetReader,
            {"type": "sdp", "compagnion": ".conll", "max_instance": 3},
            "Extra parameters passed to SdpReader: {'compagnion': '.conll', 'max_instance': 3}, at "
            '"dataset_reader.compagnion". Perhaps "companion" for "compagnion", "max_instances" '
            'for "max_instance".',
        ),
        (
            Seq2SeqEncoder,
            {"type": "pass_through", "input_dimm": 3},
            'key "input_dim" is required at location "dataset_reader.". Is it meant by '
            '"input_dimm", which is given?',
        ),
    ],
)
def test_a_misspelt_key_is_named_with_its_place_and_what_was_meant(kind, params, message):
    with pytest.raises(ConfigurationError) as raised:
        kind.from_params(Params(params, history="dataset_reader."))
    assert message_of(raised.value) == message


class Passing(FromParams):
    def __init__(self, **kwargs):
        called(**kwargs)


def called(other):
    return other


class Narrow(FromParams):
    def __init__(self):
        pass


class Faulty(Narrow):
    def __init__(self, width):
        super().__init__(width=width)


def test_a_keyword_that_something_else_refuses_is_not_called_a_key():
    with pytest.raises(TypeError, match="called"):
        Passing.from_params(Params({"size": 3}))


def test_a_constructor_that_passes_on_what_it_should_not_is_at_fault_itself():
    with pytest.raises(TypeError, match="width"):
        Faulty.from_params(Params({"width": 3}))
