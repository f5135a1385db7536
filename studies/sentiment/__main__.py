"""The command line: `python -m studies.sentiment --help`."""

import argparse
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, Dict

from studies.sentiment.parts import REGIMES, write_parts
from studies.trial import Trial, alone, capped, rated, run

_JOINT, _ALONE, PARSER = (
    str(Path(__file__).with_name(f"{name}.jsonnet")) for name in ("joint", "alone", "parser")
)
_NO_GRAPH = "no graph"
# The norm caps for a sentence's gradient through the graph.
_capped = partial(capped, (0.003, 0.03, 0.3))
# The learning rates to try for the classifier. The parser's rate is in the config.
_RATES = (0.0005, 0.001, 0.002)
_rated = partial(rated, "trainer.optimizer.lr", _RATES)


def _environment(data: Path, regime: str) -> Dict[str, str]:
    return {
        "SPIGOT_SST_TRAIN": str(data / f"{regime}.txt"),
        "SPIGOT_SST_DEV": str(data / "dev.txt"),
        "SPIGOT_ARCHIVE": str(data / "parser" / "model.tar.gz"),
        **_parsing_data(data),
    }


def _parsing_data(data: Path) -> Dict[str, str]:
    return {"SPIGOT_SDP_TRAIN": str(data / "train.sdp"), "SPIGOT_SDP_DEV": str(data / "dev.sdp")}


def _tested_on(data: Path, regime: str, arm: str) -> Any:
    sentences = str(data / "test.txt")
    return sentences if arm == _NO_GRAPH else {"sentiment": sentences}


TRIAL = Trial(
    name="sentiment",
    base=_JOINT,
    arms={
        _NO_GRAPH: alone(_ALONE, _RATES),
        "pipeline": _rated("pipeline"),
        "structured attention": _rated("structured_attention"),
        "spigot": _capped("spigot"),
        "spigot, two-sided": _capped("spigot", two_sided=True),
        "straight-through": _capped("straight_through"),
        "perturb-and-map": _capped("perturb_and_map"),
    },
    baseline="pipeline",
    metrics=("accuracy", "arcs_changed"),
    regimes=REGIMES,
    environment=_environment,
    tested_on=_tested_on,
)


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the step that writes the data and trains the parser."""
    parser.add_argument("sst", type=Path, help="a folder: {train,dev}.txt")
    parser.add_argument("treebank", type=Path, help="a folder: {train,dev}.sdp")
    parser.set_defaults(prepare=_prepare)


def _prepare(data: Path, options: argparse.Namespace) -> None:
    write_parts(options.sst, options.treebank, data)
    parser, environment = data / "parser", {**os.environ, **_parsing_data(data)}
    command = ["allennlp", "train", PARSER, "-s"]
    recover = ["--recover"] * parser.is_dir()
    subprocess.run([*command, str(parser), *recover], env=environment, check=True)


if __name__ == "__main__":
    sys.exit(run(TRIAL, add_prepare))
