"""The command line: `python -m studies.trees --help`."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from spigot_allennlp.compat.atomic_io import replacing
from studies.trees.arms import ARMS, BASELINE, JOINT
from studies.trees.regimes import REGIMES, write_parts
from studies.trees.tables import collect, table

_TUNING_SEED = 101
_METRICS = ("labelled_f1", "uas")


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Does the step that the command line names."""
    options = _parser().parse_args(arguments)
    sys.exit(options.step(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.trees", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/trees"), help="of all that is made"
    )
    steps = parser.add_subparsers(required=True)
    prepare = steps.add_parser("prepare", help="write the parts of the treebank")
    prepare.add_argument("treebank", type=Path, help="a folder: {train,dev}.{sdp,conll}")
    prepare.set_defaults(step=_prepare)
    for name, step, seeds, description in (
        ("tune", _tune, [_TUNING_SEED], "train every arm with every setting; test on dev"),
        ("compare", _compare, range(1, 9), "train the tuned arms with many seeds; test"),
    ):
        command = steps.add_parser(name, help=f"{description}; again: goes on")
        command.add_argument("regime", choices=REGIMES)
        command.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
        command.add_argument("--jobs", default="1")
        command.set_defaults(step=step)
    tables = steps.add_parser("tables", help="collect the scores of all that has a report")
    tables.add_argument("--output", type=Path, default=Path("docs/trial_of_trees.json"))
    tables.set_defaults(step=_tables)
    return parser


def _prepare(options: argparse.Namespace) -> int:
    write_parts(options.treebank, options.folder / "data")
    for name in ("dev.sdp", "dev.conll"):
        (options.folder / "data" / name).write_bytes((options.treebank / name).read_bytes())
    return 0


def _tune(options: argparse.Namespace) -> int:
    variants = {
        _trial(name, setting): arm.variant(setting)
        for name, arm in ARMS.items()
        for setting in arm.settings
    }
    baseline = _trial(BASELINE, ARMS[BASELINE].settings[0])
    return _ablate(options, "tuning", variants, baseline, options.folder / "data" / "dev.sdp")


def _compare(options: argparse.Namespace) -> int:
    chosen = _best_settings(options.folder / options.regime / "tuning")
    variants = {name: arm.variant(chosen[name]) for name, arm in ARMS.items()}
    return _ablate(options, "comparison", variants, BASELINE, options.folder / "data" / "test.sdp")


def _trial(arm: str, setting: float) -> str:
    return f"{arm}, {ARMS[arm].tuned} {setting:g}"


def _best_settings(tuning: Path) -> Dict[str, float]:
    """Returns the setting of each arm with the highest score, of those that were trained."""
    scores = {row["variant"]: _mean(row, _METRICS[0]) for row in _report(tuning)["variants"]}
    return {
        name: max(arm.settings, key=lambda setting: scores[_trial(name, setting)])
        for name, arm in ARMS.items()
    }


def _mean(row: Dict[str, Any], metric: str) -> float:
    spread = row["spreads"].get(metric)
    return spread["mean"] if spread else float("-inf")


def _report(folder: Path) -> Dict[str, Any]:
    try:
        return json.loads((folder / "report.json").read_text("utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"{folder} has no report yet: run its step to the end first.") from None


def _ablate(
    options: argparse.Namespace, kind: str, variants: Dict[str, Any], baseline: str, test: Path
) -> int:
    """Runs `allennlp ablate`, which goes on where it was stopped, and returns its exit status."""
    folder, data = options.folder / options.regime, options.folder / "data"
    folder.mkdir(exist_ok=True)
    file, regime = folder / f"{kind}.json", REGIMES[options.regime]
    with replacing(file) as new:
        Path(new).write_text(json.dumps(variants, indent=1), "utf-8")
    environment = {
        **os.environ,
        "SPIGOT_SDP_TRAIN": str(data / f"{options.regime}.sdp"),
        "SPIGOT_CONLL_TRAIN": str(data / f"{options.regime}.conll"),
        "SPIGOT_SDP_DEV": str(data / "dev.sdp"),
        "SPIGOT_CONLL_DEV": str(data / "dev.conll"),
        "TRIAL_TREES": "yes" if regime.trees else "no",
        "TRIAL_RAW_WORDS": "yes" if regime.raw_words else "no",
    }
    command: List[Any] = ["allennlp", "ablate", JOINT, "-s", folder / kind, "--variants", file]
    command += ["--seeds", *options.seeds, "--jobs", options.jobs, "--threads", 1]
    command += ["--metric", *_METRICS, "--baseline", baseline, "--test-data", test]
    return subprocess.run([str(part) for part in command], env=environment).returncode


def _tables(options: argparse.Namespace) -> int:
    scores = collect(options.folder, REGIMES)
    with replacing(options.output) as new:
        Path(new).write_text(json.dumps(scores, indent=1) + "\n", "utf-8")
    for regime, of_regime in scores.items():
        print("\n".join(table(regime, of_regime)), end="\n\n")
    return 0


if __name__ == "__main__":
    main()
