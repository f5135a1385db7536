"""Runs that are killed with SIGKILL and resumed, beside runs that are not."""

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.modules.seq2seq_encoders import LstmSeq2SeqEncoder
from allennlp.training import TrainerCallback

from spigot_allennlp.callbacks.resumable import Resumable, SeededDataLoader
from tests import forks

EPOCHS = 4

# What changes from run to run, whatever happens.
OF_THE_MACHINE = ("duration", "memory")

TAGGER: Dict[str, Any] = {
    "type": "simple_tagger",
    "text_field_embedder": {
        "token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 6}}
    },
    "encoder": {
        "type": "stacked_bidirectional_lstm",
        "input_size": 6,
        "hidden_size": 6,
        "num_layers": 2,
        "recurrent_dropout_probability": 0.3,
        "layer_dropout_probability": 0.3,
    },
    "regularizer": {"regexes": [["weight", {"type": "l2", "alpha": 0.001}]]},
}
ONE_TASK: Dict[str, Any] = {
    "dataset_reader": {"type": "sequence_tagging"},
    "train_data_path": "train.txt",
    "validation_data_path": "dev.txt",
    "data_loader": {"batch_size": 8, "shuffle": True},
    "model": TAGGER,
}
TWO_TASKS: Dict[str, Any] = {
    "dataset_reader": {
        "type": "multitask",
        "readers": {"a": {"type": "sequence_tagging"}, "b": {"type": "sequence_tagging"}},
    },
    "train_data_path": {"a": "train.txt", "b": "dev.txt"},
    "validation_data_path": {"a": "dev.txt", "b": "dev.txt"},
    "data_loader": {
        "type": "multitask",
        "scheduler": {"type": "homogeneous_roundrobin", "batch_size": 8},
        "sampler": "uniform",
        "instances_per_epoch": 44,
    },
    "validation_data_loader": {
        "type": "multitask",
        "scheduler": {"type": "homogeneous_roundrobin", "batch_size": 8},
    },
    "model": {**TAGGER, "type": "tagger_of_several_tasks"},
}
# A step_classifier makes its metrics itself, as all sequence models do.
STEPS: Dict[str, Any] = {
    "dataset_reader": {"type": "copying", "delay": 4, "num_symbols": 3},
    "train_data_path": "synthetic:size=47,seed=1",
    "validation_data_path": "synthetic:size=19,seed=2",
    "data_loader": {"batch_size": 8, "shuffle": True},
    "model": {
        "type": "step_classifier",
        "text_field_embedder": TAGGER["text_field_embedder"],
        "encoder": {"type": "lstm", "input_size": 6, "hidden_size": 6},
        "dropout": 0.3,
    },
}
# Pieces of a text, whose order is theirs, with what each has left to the next.
STREAMS: Dict[str, Any] = {
    "dataset_reader": {"type": "character_language_model", "length": 10, "num_streams": 4},
    "train_data_path": "synthetic:size=12,seed=1",
    "validation_data_path": "synthetic:size=6,seed=2",
    "data_loader": {"batch_size": 4},
    "model": {
        "type": "step_classifier",
        "label_namespace": "characters",
        "text_field_embedder": {
            "token_embedders": {
                "tokens": {
                    "type": "embedding",
                    "vocab_namespace": "characters",
                    "embedding_dim": 6,
                }
            }
        },
        "encoder": {
            "type": "sparse_attentive_lstm",
            "input_size": 6,
            "hidden_size": 5,
            "top_k": 2,
            "truncation": 5,
            "stateful": True,
        },
        "dropout": 0.3,
    },
}
OFTEN = {"checkpointer": {"save_every_num_batches": 2}}
MOVING = {"moving_average": {"type": "exponential", "decay": 0.9}}
COSINE = {"learning_rate_scheduler": {"type": "cosine", "t_initial": 3}}
APART = {
    "type": "group_clipping",
    "callbacks": ["kill", "divergence", "resumable"],
    "grad_norm": 0.5,
    "optimizer": {
        "type": "fused_adam",
        "lr": 0.05,
        "parameter_groups": [
            [["^encoder"], {"name": "encoder", "grad_norm": 0.1}],
            [["^text_field_embedder"], {"name": "embedder", "lr": 0.02}],
        ],
    },
    "learning_rate_scheduler": {
        "type": "by_group",
        "schedulers": {
            "encoder": {"type": "step", "step_size": 1, "gamma": 0.5},
            "embedder": {"type": "inverse_square_root", "delay": 0},
        },
    },
}
GROUPS = {"num_gradient_accumulation_steps": 3, "checkpointer": {"save_every_num_batches": 1}}

# Data and model, more of the trainer, where the run is killed, and where it is resumed: epochs and
# batches.
RUNS: Dict[str, Any] = {
    "from the end of an epoch": (ONE_TASK, {}, "2:3", (2, 0)),
    "from within an epoch": (ONE_TASK, OFTEN, "2:5", (2, 4)),
    "from within the first epoch": (ONE_TASK, OFTEN, "0:3", (0, 2)),
    "from the last batch of an epoch": (ONE_TASK, OFTEN, "2:v1", (2, 6)),
    "with groups of batches": (ONE_TASK, GROUPS, "2:2", (2, 1)),
    "with groups of parameters": (ONE_TASK, {**APART, **OFTEN}, "2:5", (2, 4)),
    "with averages and a schedule": (ONE_TASK, {**MOVING, **COSINE, **OFTEN}, "2:3", (2, 2)),
    "with two tasks that are sampled": (TWO_TASKS, OFTEN, "2:5", (2, 4)),
    "with a model of sequences": (STEPS, OFTEN, "2:5", (2, 4)),
    "with states that are carried": (STREAMS, OFTEN, "2:5", (2, 4)),
}


def write_sentences(file: Path, count: int) -> None:
    words = ["a###X", "b###Y", "c###X", "c###Y", "d###Z"]
    lines = (random.choices(words, k=random.randint(2, 9)) for _ in range(count))
    file.write_text("".join(" ".join(line) + "\n" for line in lines))


def write_config(folder: Path, name: str) -> None:
    config, trainer, kill_at, _ = RUNS[name]
    common = {"num_epochs": EPOCHS, "cuda_device": -1, "validation_metric": "+accuracy"}
    common |= {"optimizer": {"type": "adam", "lr": 0.05}, "callbacks": ["kill", "resumable"]}
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**config, "trainer": {**common, **trainer}}))
    (folder / "kill_at").write_text(kill_at)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder with a folder for every entry of `RUNS`."""
    here = tmp_path_factory.mktemp("runs")
    random.seed(0)
    write_sentences(here / "train.txt", 47)
    write_sentences(here / "dev.txt", 19)
    for name in RUNS:
        write_config(here / name, name)
    finished = forks.run(
        forks.FORK, forks.module, "tests.callbacks.killed_runs", *RUNS, folder=here
    )
    assert finished.returncode == 0, finished.stderr
    return here


def metrics(folder: Path, name: str) -> Dict[str, Any]:
    values = json.loads((folder / name).read_text())
    return {
        key: value
        for key, value in values.items()
        if not any(word in key for word in OF_THE_MACHINE)
    }


@pytest.mark.parametrize("name", RUNS)
def test_the_metrics_of_every_epoch_are_those_of_a_run_that_was_not_killed(runs, name):
    whole, killed = runs / name / "whole", runs / name / "killed"
    for epoch in range(EPOCHS):
        file = f"metrics_epoch_{epoch}.json"
        assert metrics(killed, file) == metrics(whole, file)
        assert "training_loss" in metrics(killed, file) and "training_accuracy" in metrics(
            killed, file
        )
    assert metrics(killed, "metrics.json") == metrics(whole, "metrics.json")


@pytest.mark.parametrize("name", RUNS)
def test_the_weights_are_those_of_a_run_that_was_not_killed(runs, name):
    whole, killed = (torch.load(runs / name / run / "best.th") for run in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[key], killed[key]) for key in whole)


@pytest.mark.parametrize("name", RUNS)
def test_the_run_was_resumed_from_the_checkpoint_that_was_meant(runs, name):
    log = (runs / name / "killed.log").read_text()
    assert log.count("Beginning training.") == 2
    epochs, batches = RUNS[name][-1]
    assert f"Resuming after {epochs} epochs and {batches} batches." in log


def test_the_callback_is_built_by_its_name_with_the_seed_that_pytorch_was_given(tmp_path):
    torch.manual_seed(5)
    callback = TrainerCallback.from_params(Params({"type": "resumable"}), serialization_dir="x")
    assert isinstance(callback, Resumable) and callback._seed == 5


def test_the_seed_of_the_checkpoint_goes_on():
    killed, resumed = Resumable("x", seed=1), Resumable("x", seed=2)
    killed.trainer = SimpleNamespace(model=torch.nn.Linear(1, 1), _scaler=None)
    resumed.load_state_dict(killed.state_dict())
    assert resumed._seed == 1


def test_a_checkpoint_that_lacks_what_an_encoder_had_carried_says_so(caplog):
    encoder = LstmSeq2SeqEncoder(1, 1, stateful=True)
    trainer = SimpleNamespace(
        model=torch.nn.ModuleDict({"encoder": encoder}),
        data_loader=None,
        _validation_data_loader=None,
        _scaler=None,
        _distributed=False,
        _start_after_epochs_completed=0,
        _start_after_batches_in_epoch_completed=2,
        _train_epoch=None,
    )
    resumed = Resumable("x", seed=1)
    resumed.load_state_dict({"seed": 1, "losses": {}, "metrics": {}, "scaler": None})
    resumed.on_start(trainer)
    assert "they begin anew: encoder." in caplog.text


class ShufflingLoader:
    """Six batches in random order, and an attribute."""

    batch_size = 7

    def __len__(self):
        return 6

    def __iter__(self):
        batches = list(range(6))
        random.shuffle(batches)
        yield from batches


def draws():
    return random.random(), numpy.random.rand(), torch.rand(1).item()


def epoch_of(number=0, seed=1, stage="train", computes=True):
    """Returns the batches of an epoch, each with what a model draws that computes it."""
    loader = SeededDataLoader(ShufflingLoader(), seed, stage, lambda: number)
    return [(batch, draws() if computes else None) for batch in loader]


def test_an_epoch_is_repeated_whatever_was_drawn_before():
    first = epoch_of()
    draws()
    assert epoch_of() == first


@pytest.mark.parametrize("other", [{"number": 1}, {"seed": 2}, {"stage": "validation"}])
def test_another_epoch_seed_or_stage_has_another_order_and_other_draws(other):
    order, drawn = zip(*epoch_of(), strict=True)
    other_order, other_drawn = zip(*epoch_of(**other), strict=True)
    assert order != other_order and sorted(order) == sorted(other_order)
    assert not {draw for draws in drawn for draw in draws} & {d for ds in other_drawn for d in ds}


def test_each_batch_draws_other_numbers():
    drawn = [draw for _, draws in epoch_of() for draw in draws]
    assert len(set(drawn)) == len(drawn)


def test_a_batch_draws_the_same_if_those_before_it_were_only_fetched():
    loader = SeededDataLoader(ShufflingLoader(), 1, "train", lambda: 0)
    rest = [(batch, draws()) for position, batch in enumerate(loader) if position >= 4]
    assert rest == epoch_of()[4:]


def test_everything_else_is_that_of_the_wrapped_loader():
    loader = SeededDataLoader(ShufflingLoader(), 1, "train", lambda: 0)
    assert len(loader) == 6 and loader.batch_size == 7
    with pytest.raises(AttributeError, match="no_such"):
        loader.no_such  # noqa: B018
