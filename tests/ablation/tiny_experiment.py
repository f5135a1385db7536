"""An experiment that takes a run a moment: a classifier of a few sentences."""

import json
import random
from pathlib import Path
from typing import Any, Dict, List

from spigot_allennlp.ablation.plan.make_plan import make_plan, read_vary_option
from spigot_allennlp.ablation.plan.plan import Plan

CONFIG: Dict[str, Any] = {
    "dataset_reader": {"type": "text_classification_json", "tokenizer": "just_spaces"},
    "train_data_path": "train.jsonl",
    "validation_data_path": "dev.jsonl",
    "data_loader": {"batch_size": 8, "shuffle": True},
    "model": {
        "type": "basic_classifier",
        "text_field_embedder": {
            "token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 4}}
        },
        "seq2vec_encoder": {"type": "bag_of_embeddings", "embedding_dim": 4},
        "dropout": 0.2,
    },
    "trainer": {
        "num_epochs": 3,
        "cuda_device": -1,
        "optimizer": {"type": "adam", "lr": 0.1},
        "validation_metric": "+accuracy",
    },
}


def write_experiment(folder: Path, **changes: Any) -> str:
    """Data and config; returns the config's file. `changes` are of the trainer."""
    random.seed(0)
    for name, count in (("train", 24), ("dev", 8), ("test", 10)):
        rows: List[str] = []
        for _ in range(count):
            label = random.choice(["good", "bad"])
            words = [*random.choices("the a film plot is was".split(), k=3), label]
            rows.append(json.dumps({"text": " ".join(words), "label": label}))
        (folder / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
    config = {**CONFIG, "trainer": {**CONFIG["trainer"], **changes}}
    for key in ("train_data_path", "validation_data_path"):
        config[key] = str(folder / config[key])
    (folder / "base.json").write_text(json.dumps(config))
    return str(folder / "base.json")


def planned(folder: Path, *vary: str, seeds: Any = (1, 2), **options: Any) -> Plan:
    """A plan for the experiment in a folder, tested on its test data."""
    options.setdefault("test_data", str(folder / "test.jsonl"))
    axes = [read_vary_option(option) for option in vary or ["trainer.optimizer.lr=0.1,0.01"]]
    return make_plan(str(folder / "base.json"), axes, seeds, **options)
