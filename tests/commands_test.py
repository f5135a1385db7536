"""
Every command of AllenNLP, in processes of its own, as a user types it: the installed `allennlp`.

Importing what AllenNLP needs takes each process some ten seconds, so all of them run before the
first test, two at a time, and most are forked from a process that has imported these libraries, but
neither AllenNLP nor our package.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest

from tests import forks

ALLENNLP = str(Path(sys.executable).with_name("allennlp"))
OURS = ["--include-package", "spigot_allennlp"]
EPOCHS = 8

# A classifier of AllenNLP, with a callback and a variable of ours, so that it needs our package.
CONFIG = """
{
  random_seed: if std.extVar('SPIGOT_EMBEDDINGS') == '' then 1 else error 'has no default',
  dataset_reader: {type: 'text_classification_json', tokenizer: 'just_spaces'},
  train_data_path: 'train.jsonl',
  validation_data_path: 'dev.jsonl',
  data_loader: {batch_size: 8, shuffle: true},
  model: {
    type: 'basic_classifier',
    text_field_embedder: {token_embedders: {tokens: {type: 'embedding', embedding_dim: 8}}},
    seq2vec_encoder: {type: 'gru', input_size: 8, hidden_size: 8},
    dropout: 0.4,
  },
  trainer: {
    num_epochs: %d,
    cuda_device: -1,
    optimizer: {type: 'adam', lr: 0.01},
    learning_rate_scheduler: {type: 'cosine', t_initial: 4},
    callbacks: ['resumable'],
  },
}
"""


def write_sentences(file: Path, count: int) -> None:
    """Sentences that are good or bad by their only adjective."""
    rows = []
    for _ in range(count):
        label = random.choice(["good", "bad"])
        words = random.choices("the a film plot is was and".split(), k=random.randint(2, 6))
        text = " ".join([*words, label])
        rows.append({"text": text, "sentence": text, "label": label})  # for reader and predictor
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


class Project:
    """A folder somewhere, without our sources, in which commands are run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pool = ThreadPoolExecutor(max_workers=2)
        random.seed(0)
        write_sentences(folder / "train.jsonl", 400)
        write_sentences(folder / "dev.jsonl", 40)
        (folder / "config.jsonnet").write_text(CONFIG % EPOCHS)
        (folder / "with_plugins_file").mkdir()
        (folder / "with_plugins_file" / ".allennlp_plugins").write_text("spigot_allennlp\n")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        return subprocess.run(
            [ALLENNLP, *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def fork(self, *arguments: str, cwd: str = ".") -> "subprocess.CompletedProcess[str]":
        """Runs a command in a fork."""
        folder = self.folder / cwd
        finished = forks.run(forks.LIBRARIES_ONLY, forks.allennlp, *arguments, folder=folder)
        output = finished.stdout + finished.stderr
        return subprocess.CompletedProcess(arguments, finished.returncode, output)

    def training(self, results: str, *more: str, **overrides: Any) -> List[str]:
        """The arguments of a command that trains."""
        command = ["train", "config.jsonnet", "-s", results, *OURS, *more]
        return [*command, "--overrides", json.dumps(overrides)] if overrides else command

    def train_and_kill(self, results: str) -> int:
        """Kills the training as soon as the second epoch is over."""
        process = forks.start(
            forks.LIBRARIES_ONLY,
            forks.allennlp,
            *self.training(results),
            folder=self.folder,
            output=self.folder / "killed.log",
        )
        file = self.folder / results / "metrics_epoch_1.json"
        while process.is_alive() and not file.exists():
            time.sleep(0.002)
        process.kill()
        process.join()
        return process.exitcode

    def json(self, *path: str) -> Dict[str, Any]:
        values = json.loads((self.folder.joinpath(*path)).read_text())
        return {
            key: value
            for key, value in values.items()
            if "duration" not in key and "memory" not in key
        }


def start_all(project: Project) -> SimpleNamespace:
    """The results to come of all commands, those that others wait for first."""
    run, fork, training, submit = project.run, project.fork, project.training, project.pool.submit
    short = {"trainer.num_epochs": 1}
    workers = {"data_loader.num_workers": 1}
    # A spawned worker imports AllenNLP anew: a single one, for the training data, is enough.
    spawned = {
        **short,
        **workers,
        "data_loader.start_method": "spawn",
        "validation_data_loader": {"batch_size": 8},
        "vocabulary": {"type": "from_files", "directory": "trained/vocabulary"},
    }
    trained: Future = submit(run, *training("trained"))
    killed: Future = submit(project.train_and_kill, "killed")
    archive = "trained/model.tar.gz"

    def after(first: Future, *command: str, **where: str) -> Any:
        first.result()
        return fork(*command, **where)

    predict = [
        "predict",
        f"../{archive}",
        "../dev.jsonl",
        "--output-file",
        "../predictions.jsonl",
        "--silent",
    ]
    return SimpleNamespace(
        trained=trained,
        killed=killed,
        build_vocab=submit(fork, "build-vocab", "config.jsonnet", "vocabulary.tar.gz", *OURS),
        dry_run=submit(fork, *training("dry_run", "--dry-run")),
        recovered=submit(lambda: (killed.result(), fork(*training("killed", "--recover")))[1]),
        find_lr=submit(
            fork, "find-lr", "config.jsonnet", "-s", "rates", "--num-batches", "20", *OURS
        ),
        evaluated=submit(
            after, trained, "evaluate", archive, "dev.jsonl", "--output-file", "evaluated.json"
        ),
        predicted=submit(after, trained, *predict, cwd="with_plugins_file"),
        spawned=submit(after, trained, *training("spawned", **spawned)),
        distributed=submit(
            run,
            *training("distributed", **short, **workers, distributed={"cuda_devices": [-1, -1]}),
        ),
        amp=submit(fork, *training("amp", **{"trainer.use_amp": True})),
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def results(project):
    return start_all(project)


def succeeded(result: Future) -> str:
    """What the command said, if it succeeded."""
    finished = result.result()
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


def test_train_trains_and_writes_an_archive(project, results):
    succeeded(results.trained)
    metrics = project.json("trained", "metrics.json")
    assert metrics["epoch"] == EPOCHS - 1 and metrics["best_validation_accuracy"] > 0.8
    with tarfile.open(project.folder / "trained" / "model.tar.gz") as archive:
        assert {"weights.th", "config.json"} <= set(archive.getnames())


def test_nothing_is_said_of_a_plugin_that_could_not_be_loaded(results):
    assert "could not be loaded" not in succeeded(results.trained)


def test_evaluate_reads_the_archive_of_another_process(project, results):
    succeeded(results.evaluated)
    best = project.json("trained", "metrics.json")["best_validation_accuracy"]
    assert project.json("evaluated.json")["accuracy"] == pytest.approx(best)


def test_predict_finds_our_package_by_the_plugins_file(project, results):
    assert "Plugin spigot_allennlp available" in succeeded(results.predicted)
    predictions = (project.folder / "predictions.jsonl").read_text().splitlines()
    rows = [json.loads(row) for row in (project.folder / "dev.jsonl").read_text().splitlines()]
    right = [
        json.loads(prediction)["label"] == row["label"]
        for prediction, row in zip(predictions, rows, strict=True)
    ]
    accuracy = project.json("trained", "metrics.json")["best_validation_accuracy"]
    assert sum(right) / len(right) == pytest.approx(accuracy)


def test_find_lr_draws_the_losses(project, results):
    succeeded(results.find_lr)
    assert (project.folder / "rates" / "lr-losses.png").stat().st_size > 0


def test_build_vocab_writes_the_words(project, results):
    succeeded(results.build_vocab)
    with tarfile.open(project.folder / "vocabulary.tar.gz") as archive:
        words = archive.extractfile("tokens.txt").read().decode().splitlines()
    assert {"film", "good", "bad"} <= set(words)


def test_a_dry_run_makes_the_vocabulary_and_trains_nothing(project, results):
    succeeded(results.dry_run)
    files = {file.name for file in (project.folder / "dry_run").iterdir()}
    assert "vocabulary" in files and not {"metrics_epoch_0.json", "model.tar.gz"} & files


def test_a_killed_training_is_recovered_as_if_it_had_not_been_killed(project, results):
    assert results.killed.result() == -signal.SIGKILL
    assert "Resuming after" in succeeded(results.recovered)
    succeeded(results.trained)
    for epoch in range(EPOCHS):
        name = f"metrics_epoch_{epoch}.json"
        assert project.json("killed", name) == project.json("trained", name)
    assert project.json("killed", "metrics.json") == project.json("trained", "metrics.json")


def test_a_spawned_worker_loads_the_data(project, results):
    succeeded(results.spawned)
    assert project.json("spawned", "metrics.json")["epoch"] == 0


def test_two_processes_train_together_each_with_a_worker(project, results):
    succeeded(results.distributed)
    log = (project.folder / "distributed" / "out_worker1.log").read_text()
    assert "world size 2 initialized for distributed training in worker 1" in log
    assert project.json("distributed", "metrics.json")["validation_accuracy"] > 0


def test_mixed_precision_is_refused_on_a_cpu(results):
    refused = results.amp.result()
    assert refused.returncode != 0
    assert "Using AMP requires a cuda device" in refused.stdout
