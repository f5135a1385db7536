"""The command line: `python -m studies.trees --help`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Dict

from studies.trees.arms import ARMS, BASELINE, JOINT
from studies.trees.regimes import GOLD_TREES, REGIMES, write_parts
from studies.trial import Trial, run


def _environment(data: Path, regime: str) -> Dict[str, str]:
    return {
        "SPIGOT_SDP_TRAIN": str(data / f"{regime}.sdp"),
        "SPIGOT_CONLL_TRAIN": str(data / f"{regime}.conll"),
        "SPIGOT_SDP_DEV": str(data / "dev.sdp"),
        "SPIGOT_CONLL_DEV": str(data / "dev.conll"),
        "TRIAL_GOLD_TREES": str(data / GOLD_TREES / f"{regime}.conll"),
        "TRIAL_TREES": "yes" if REGIMES[regime].trees else "no",
        "TRIAL_RAW_WORDS": "yes" if REGIMES[regime].raw_words else "no",
        "TRIAL_EPOCHS": str(REGIMES[regime].epochs),
        "TRIAL_SCHEDULE": REGIMES[regime].schedule,
        "TRIAL_ARC_BIAS": json.dumps(REGIMES[regime].arc_bias),
    }


TRIAL = Trial(
    name="trees",
    base=JOINT,
    arms=ARMS,
    baseline=BASELINE,
    metrics=("labelled_f1", "uas"),
    regimes=REGIMES,
    environment=_environment,
    tested_on=lambda data, regime, arm: str(data / "test.sdp"),
    out_of_scale=("gold tree",),
    superseded=("few_trees_short",),
)


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the step that writes the data."""
    parser.add_argument("treebank", type=Path, help="a folder: {train,dev}.{sdp,conll}")
    parser.set_defaults(prepare=lambda data, options: write_parts(options.treebank, data))


if __name__ == "__main__":
    sys.exit(run(TRIAL, add_prepare))
